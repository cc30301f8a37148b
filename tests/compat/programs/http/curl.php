<?php
// PHP's curl extension and its streams: `curl.php URL` prints one line for each step.
function step(string $name, string $url, array $options = []): void {
    $handle = curl_init($url);
    curl_setopt_array($handle, $options + [CURLOPT_RETURNTRANSFER => true, CURLOPT_SSL_VERIFYPEER => false, CURLOPT_SSL_VERIFYHOST => 0]);
    $body = curl_exec($handle);
    echo json_encode([$name, curl_getinfo($handle, CURLINFO_RESPONSE_CODE), strlen($body), json_decode($body)]), "\n";
}

$url = $argv[1];
step("item", "$url/items/7");
step("search", "$url/search?" . http_build_query(["q" => "a b", "page" => 2]));
step("create", "$url/items", [CURLOPT_POSTFIELDS => json_encode(["name" => "Lamp"]), CURLOPT_HTTPHEADER => ["Content-Type: application/json"]]);
step("form", "$url/form", [CURLOPT_POSTFIELDS => http_build_query(["a" => 1, "b" => "x y"])]);
step("upload", "$url/upload", [CURLOPT_POSTFIELDS => ["f" => new CURLStringFile("file content", "a.txt", "text/plain")]]);
step("gzip", "$url/words", [CURLOPT_ENCODING => ""]);
step("missing", "$url/missing");
$context = stream_context_create(["http" => ["header" => "X-Api-Key: k1\r\n"], "ssl" => ["verify_peer" => false, "verify_peer_name" => false]]);
echo json_encode(["stream", json_decode(file_get_contents("$url/items/5", false, $context))]), "\n";
