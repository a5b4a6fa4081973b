// Package gateway is the outside of the server: the only package that speaks
// HTTP to browsers. It serves the built pages, the state of health and what
// section 5 of protocol/SPEC.md lists, and puts the same security headers on
// every answer.
//
// A request passes three checks before anything looks at its path: the Host
// must be a name of this machine (host.go), the method must read, and the path
// must be one that exists. What fails is answered with problem details
// (RFC 9457) whose texts are constants: nothing that a stranger sent comes
// back to a browser.
package gateway

import (
	"cmp"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/directory"
)

// Options is what the gateway needs from whoever composes the server.
type Options struct {
	// Pages holds the built applications: widget/ and console/, each with
	// index.html, assets/ and the compressed twins of its files.
	Pages fs.FS
	// Version is shown in the state of health: letters, digits and .+_- up to
	// 64 bytes, or it is shown as "unknown".
	Version string
	// Log receives refused requests and failures; nil drops them.
	Log *slog.Logger
	// Conversations and Directory answer what is below /v1/; without them only
	// the state of health is there.
	Conversations *conversation.Conversations
	Directory     *directory.Directory
	// Socket takes a WebSocket whose origin was checked.
	Socket http.Handler
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

// Gateway serves requests. Its state is who has a session.
type Gateway struct {
	pages  fs.FS
	health []byte
	log    *slog.Logger
	api    *api
}

// New returns the handler of everything that a browser asks for. It is safe
// for concurrent use and must be served by an [http.Server], whose listener
// tells it the port that a Host has to name.
func New(o Options) *Gateway {
	log := cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.Log = log
	if o.Now == nil {
		o.Now = time.Now
	}
	version := o.Version
	if !plainVersion(version) {
		log.Warn("the version is not made of 1 to 64 letters, digits and .+_- and is not shown", "version", version)
		version = "unknown"
	}
	g := &Gateway{
		pages: o.Pages,
		// A plain version needs no escaping in JSON.
		health: []byte(`{"status":"ok","version":"` + version + `"}` + "\n"),
		log:    log,
	}
	if o.Conversations != nil {
		g.api = newAPI(o)
	}
	return g
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if !ownHost(r) {
		g.log.Warn("refused a request for a host that is not this machine", "host", shorten(r.Host))
		misdirected.write(w)
		return
	}
	if g.api != nil && strings.HasPrefix(r.URL.Path, "/v1/") && r.URL.Path != "/v1/health" {
		g.api.ServeHTTP(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		wrongMethod.write(w)
		return
	}
	path := r.URL.Path
	if path == "/" {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Location", "/c/")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	if path == "/v1/health" {
		w.Header().Set("Cache-Control", "no-store")
		send(w, "application/json", g.health)
		return
	}
	if name, ok := strings.CutPrefix(path, "/c/"); ok {
		g.servePage(w, r, "widget/", name)
		return
	}
	if name, ok := strings.CutPrefix(path, "/agent/"); ok {
		g.servePage(w, r, "console/", name)
		return
	}
	notFound.write(w)
}

// send writes a whole answer; net/http leaves the body out for HEAD.
func send(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	// A write fails when the browser has gone, and then nobody is left to tell.
	_, _ = w.Write(body) //nolint:gosec // a built file or our own sentence, with nosniff and a type of ours
}

func plainVersion(version string) bool {
	if version == "" || len(version) > 64 {
		return false
	}
	for _, c := range []byte(version) {
		if !alphanumeric(c) && !strings.ContainsRune(".+_-", rune(c)) {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// shorten keeps what a stranger sent from filling the log.
func shorten(text string) string {
	if len(text) <= 100 {
		return text
	}
	return text[:100] + "…"
}
