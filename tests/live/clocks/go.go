// GET /now: `go PORT`
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	net.LookupHost("localhost") // by the C library, where there is one
	http.HandleFunc("/", func(to http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(to, time.Now().UTC().Format("2006/01/02 15h04"))
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
