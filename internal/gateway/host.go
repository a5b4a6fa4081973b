package gateway

import (
	"net"
	"net/http"
	"strconv"
	"strings"
)

// ownHost reports whether the request names this machine and the port that it
// arrived at. A page of another site can make its own name resolve to
// 127.0.0.1 (DNS rebinding) and would then share an origin with the server;
// its requests still carry its name.
func ownHost(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return false
	}
	host := r.Host
	// A browser leaves out the default port of http.
	if port := ":" + strconv.Itoa(local.Port); strings.HasSuffix(host, port) {
		host = strings.TrimSuffix(host, port)
	} else if local.Port != 80 {
		return false
	}
	return loopbackName(strings.ToLower(host))
}

// loopbackName knows the names that a browser itself resolves to this machine
// (RFC 6761 section 6.3), in lower case.
func loopbackName(host string) bool {
	switch host {
	case "127.0.0.1", "[::1]", "localhost":
		return true
	}
	labels, ok := strings.CutSuffix(host, ".localhost")
	if !ok {
		return false
	}
	for label := range strings.SplitSeq(labels, ".") {
		if label == "" {
			return false
		}
		for _, c := range []byte(label) {
			if !alphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	return true
}
