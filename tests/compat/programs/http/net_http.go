// Go's net/http, over HTTP/1.1 or, with https, over HTTP/2: `net_http URL` prints one line for each step.
package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

func show(name string, response *http.Response, err error) {
	if err != nil {
		fmt.Println(name, "failed:", err)
		return
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if len(body) > 80 {
		body = []byte(fmt.Sprint(len(body), " bytes"))
	}
	fmt.Println(name, response.StatusCode, response.Proto, string(body))
}

func main() {
	base := os.Args[1]
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	client := &http.Client{Transport: transport}
	response, err := client.Get(base + "/items/7")
	show("item", response, err)
	response, err = client.Get(base + "/search?" + url.Values{"q": {"a b"}, "page": {"2"}}.Encode())
	show("search", response, err)
	response, err = client.Post(base+"/items", "application/json", bytes.NewBufferString(`{"name":"Lamp","price":1.5}`))
	show("create", response, err)
	response, err = client.PostForm(base+"/form", url.Values{"a": {"1"}, "b": {"x y"}})
	show("form", response, err)
	request, _ := http.NewRequest("PUT", base+"/items/8", io.NopCloser(strings.NewReader(`{"chunked":true}`)))
	request.Header.Set("Content-Type", "application/json")
	response, err = client.Do(request)
	show("chunked", response, err)
	response, err = client.Get(base + "/words")
	show("words", response, err)
	response, err = client.Get(base + "/large")
	show("large", response, err)
	response, err = client.Get(base + "/missing")
	show("missing", response, err)
}
