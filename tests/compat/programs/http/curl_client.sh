#!/bin/sh
# curl: `curl_client.sh URL` prints one line for each step.
url=$1
step() { name=$1; shift; printf '["%s", ' "$name"; curl -sk -w ', "%{http_code} %{http_version}"]\n' "$@"; }
step item "$url/items/7"
step create -H 'content-type: application/json' -d '{"name":"Lamp"}' "$url/items"
step form -d 'a=1&b=x+y' "$url/form"
step upload -F 'f=file content;filename=a.txt' "$url/upload"
step expect -H 'Expect: 100-continue' -H 'content-type: application/json' -d '{"long":"yes"}' "$url/items"
step gzip --compressed "$url/words"
step upgrade --http2 "$url/items/3"
step prior --http2-prior-knowledge "$url/items/4"
step prior-create --http2-prior-knowledge -H 'content-type: application/json' -d '{"h2":true}' "$url/items"
step old --http1.0 "$url/items/5"
step missing "$url/missing"
printf '["head", "%s"]\n' "$(curl -sI "$url/" | head -1 | cut -c1-12)"
