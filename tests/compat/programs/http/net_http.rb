# Ruby's Net::HTTP: `net_http.rb URL` prints one line for each step.
require "json"
require "net/http"
require "openssl"

base = URI(ARGV[0])
options = { use_ssl: base.scheme == "https", verify_mode: OpenSSL::SSL::VERIFY_NONE }
Net::HTTP.start(base.host, base.port, **options) do |http|
  show = ->(name, response) { puts JSON.generate([name, response.code, response["content-type"], response.body&.bytesize]) }
  show.("item", http.get("/items/7", { "x-api-key" => "k1" }))
  show.("search", http.get("/search?" + URI.encode_www_form(q: "a b", page: 2)))
  show.("create", http.post("/items", JSON.generate(name: "Lamp", price: 1.5), { "content-type" => "application/json" }))
  show.("form", http.post("/form", URI.encode_www_form(a: 1, b: "x y"), { "content-type" => "application/x-www-form-urlencoded" }))
  show.("delete", http.delete("/items/9"))
  show.("words", http.get("/words"))
  show.("missing", http.get("/missing"))
  puts JSON.generate(JSON.parse(http.get("/items/5").body))
end
