// Package gateway is the outside of the server: the only package that speaks
// HTTP to browsers. It serves the built pages, the state of health, what
// section 5 of protocol/SPEC.md lists (/v1/) and the staff's own requests
// (/api/, protocol/openapi.yaml), and puts security headers on every answer.
//
// The name in Host decides what a request can reach (host.go): visitors' pages
// and staff's pages live on names of their own, so that neither shares an
// origin, a cookie or a store with the other. A name that is not ours is
// refused before anything looks at the path. What changes something must come
// from a page of the same origin. What fails is answered with problem details
// (RFC 9457) whose texts are ours: nothing that a stranger sent comes back.
//
// Who speaks is known by a cookie that scripts cannot read (session.go): behind
// it stand the keys that this browser has proven, each for five minutes.
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
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/presence"
	"github.com/aldaba-chat/aldaba/internal/site"
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
	// Staff are the accounts, and Policy is asked before anything is done for anybody.
	Staff  *identity.Staff
	Policy *policy.Policy
	// Socket takes a WebSocket whose origin was checked.
	Socket http.Handler
	// Offices are the sites and what an administrator sets about departments.
	Offices *site.Sites
	// Presence is who of the staff is there.
	Presence *presence.Board
	// Typing passes on that a member of a conversation types.
	Typing func(conv [32]byte, leaf uint16)
	// Sites are the websites on whose pages the chat may stand; nil is none.
	Sites Sites
	// Hosts are the names that the server answers to.
	Hosts Hosts
	// Admits says whether a link of the demonstration lets a person in, and spends
	// it; nil outside of a demonstration.
	Admits func(login, token string) bool
	// Ready says why the server cannot take messages, if it cannot; nil is always ready.
	Ready func() error
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

// Gateway serves requests. Its state is who has a session.
type Gateway struct {
	pages  fs.FS
	health []byte
	log    *slog.Logger
	hosts  Hosts
	ready  func() error
	sites  Sites
	loader site.Loader
	api    *api
	staff  *staff // nil without an organisation's services
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
		hosts:  o.Hosts,
		ready:  o.Ready,
		sites:  o.Sites,
	}
	if o.Pages != nil {
		var err error
		if g.loader, err = site.LoaderOf(o.Pages); err != nil {
			log.Warn("there is no loader for customers' pages", "error", err)
		}
	}
	if o.Conversations != nil {
		g.api = newAPI(o)
		g.staff = newStaff(g.api)
	}
	return g
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	at := g.hosts.placeOf(r)
	if at == nowhere {
		g.log.Warn("refused a request for a host that is not ours", "host", shorten(r.Host))
		misdirected.write(w)
		return
	}
	if at == otherHost {
		g.hosts.other(r).ServeHTTP(w, r)
		return
	}
	path := r.URL.Path
	if g.api != nil && at != machine && path != "/v1/health" {
		if strings.HasPrefix(path, "/v1/") {
			g.api.serve(w, r, at)
			return
		}
		if at == consoleHost && strings.HasPrefix(path, "/api/") {
			g.serveStaff(w, r)
			return
		}
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		wrongMethod.write(w)
		return
	}
	if g.serveHealth(w, path) {
		return
	}
	switch at {
	case machine:
		redirect(w, path, g.hosts.ChatOrigin(r)+"/c/")
	case chatHost:
		g.serveVisitors(w, r)
	case consoleHost:
		g.serveConsole(w, r, strings.TrimPrefix(path, "/"))
	}
}

// redirect leads from the root to a page; nothing else is there.
func redirect(w http.ResponseWriter, path, to string) {
	if path != "/" {
		notFound.write(w)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// serveHealth answers whoever watches the process: that it lives, and that it
// can take messages.
func (g *Gateway) serveHealth(w http.ResponseWriter, path string) bool {
	w.Header().Set("Cache-Control", "no-store")
	switch path {
	case "/v1/health":
		send(w, "application/json", g.health)
	case "/livez":
		send(w, "text/plain; charset=utf-8", []byte("ok\n"))
	case "/readyz":
		if g.ready != nil {
			if err := g.ready(); err != nil {
				g.log.Error("the server is not ready", "error", err)
				notReady.write(w)
				return true
			}
		}
		send(w, "text/plain; charset=utf-8", []byte("ok\n"))
	default:
		w.Header().Del("Cache-Control")
		return false
	}
	return true
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
