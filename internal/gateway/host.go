package gateway

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Hosts says under which names the server answers. An empty origin stands for
// the local name: http://chat.aldaba.localhost and
// http://console.aldaba.localhost with the port of the listener.
type Hosts struct {
	Chat    string // origin of the visitors' pages, as in https://chat.example.com
	Console string // origin of the staff's pages
	// Demo gives every name under aldaba.localhost a console of its own, so that
	// several people work side by side in one browser.
	Demo bool
	// Others are hosts of the demonstration that are neither, by their label, as in "bank".
	Others map[string]http.Handler
}

const localDomain = ".aldaba.localhost"

// place is what a host name shows.
type place uint8

const (
	nowhere     place = iota // not ours
	machine                  // a loopback address: health, and the way to the pages
	chatHost                 // visitors
	consoleHost              // staff
	otherHost                // what the composer serves: the demonstration's bank and mails
)

// placeOf reads the Host of a request. A page of another site can make its own
// name resolve to 127.0.0.1 (DNS rebinding) and would then share an origin with
// the server; its requests still carry its name.
func (h Hosts) placeOf(r *http.Request) place {
	host := strings.ToLower(r.Host)
	if h.Chat != "" && host == hostOf(h.Chat) {
		return chatHost
	}
	if h.Console != "" && host == hostOf(h.Console) {
		return consoleHost
	}
	name, ok := localName(r, host)
	if !ok {
		return nowhere
	}
	switch name {
	case "127.0.0.1", "[::1]", "localhost":
		return machine
	case "chat" + localDomain:
		if h.Chat == "" {
			return chatHost
		}
		return nowhere
	case "console" + localDomain:
		if h.Console == "" {
			return consoleHost
		}
		return nowhere
	}
	label, ok := strings.CutSuffix(name, localDomain)
	if !ok || !h.Demo || !plainLabel(label) {
		return nowhere
	}
	if h.Others[label] != nil {
		return otherHost
	}
	return consoleHost
}

// other is the handler of a host that is neither the chat's nor a console.
func (h Hosts) other(r *http.Request) http.Handler {
	label, _, _ := strings.Cut(strings.ToLower(r.Host), ".")
	return h.Others[label]
}

// localName takes the port off, which must be the one that the request arrived at.
func localName(r *http.Request, host string) (string, bool) {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return "", false
	}
	// A browser leaves out the default port of http.
	if name, ok := strings.CutSuffix(host, ":"+strconv.Itoa(local.Port)); ok {
		return name, true
	}
	return host, local.Port == 80
}

func plainLabel(label string) bool {
	if label == "" || len(label) > 63 {
		return false
	}
	for _, c := range []byte(label) {
		if !alphanumeric(c) && c != '-' {
			return false
		}
	}
	return true
}

// hostOf is the host[:port] of an origin that the configuration has checked.
func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// originOf is the origin that a browser names for pages of this request's host.
func (h Hosts) originOf(r *http.Request) string {
	host := strings.ToLower(r.Host)
	for _, origin := range []string{h.Chat, h.Console} {
		if origin != "" && host == hostOf(origin) {
			return origin
		}
	}
	return "http://" + host
}

// ChatOrigin is where the visitors' pages are, as seen from this request.
func (h Hosts) ChatOrigin(r *http.Request) string { return cmp.Or(h.Chat, localOrigin("chat", r)) }

// consoleOrigin is where the staff's pages are, as seen from this request.
func (h Hosts) consoleOrigin(r *http.Request) string {
	return cmp.Or(h.Console, localOrigin("console", r))
}

func localOrigin(label string, r *http.Request) string {
	origin := "http://" + label + localDomain
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok && local.Port != 80 {
		origin += ":" + strconv.Itoa(local.Port)
	}
	return origin
}
