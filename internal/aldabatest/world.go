// Package aldabatest runs a whole Aldaba in the test process: the real server
// on a loopback port with its store on disk, the organisation's office, and
// people whose devices seal and open as browsers do.
//
//	w := aldabatest.Start(t)
//	visitor := w.Visitor()
//	visitor.Says("hola")
//	agent := w.Agent("Ana")
//	agent.Accepts(visitor)
//	agent.Sees("hola")
package aldabatest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/server"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// Dept and Assisted are the departments that every world has: a sealed one, and
// one in which the server is a member.
var (
	Dept     = [16]byte{0x5e, 0xa1}
	Assisted = [16]byte{0xa5, 0x51}
)

// World is a running Aldaba.
type World struct {
	T      testing.TB
	Base   string // http://127.0.0.1:port
	Port   string
	Folder string // of the data

	server *server.Server
	office *authority.Office
	reader reader
}

// Start runs one with an organisation of a sealed and an assisted department; it
// is stopped when the test ends.
func Start(t testing.TB) *World {
	t.Helper()
	w := &World{T: t, Folder: filepath.Join(t.TempDir(), "data")}
	w.run()
	t.Cleanup(w.Stop)
	exchange := w.server.Office()
	key, err := exchange.StatusKey(t.Context())
	w.must(err)
	seat, err := exchange.Server(t.Context())
	w.must(err)
	w.office, err = authority.New(authority.Options{
		Departments: []authority.Department{
			{ID: Dept, Name: "support", Mode: seal.Sealed}, {ID: Assisted, Name: "sales", Mode: seal.Assisted},
		},
		StatusKey: key, Server: seat, Custody: seal.Company, Now: now(),
	})
	w.must(err)
	w.Round()
	return w
}

func (w *World) run() {
	w.T.Helper()
	s, err := server.Start(w.T.Context(), server.Options{
		Address: "127.0.0.1:0", Folder: w.Folder, Version: "test", Reader: &w.reader,
		Pages: fstest.MapFS{"widget/index.html": {Data: []byte("<!doctype html>")}},
	})
	w.must(err)
	w.server, w.Base = s, "http://"+s.Addr().String()
	w.Port = strconv.Itoa(s.Addr().Port)
}

// Stop ends the server; its data stay.
func (w *World) Stop() {
	if w.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.server.Stop(ctx); err != nil {
		w.T.Errorf("stop the server: %v", err)
	}
	w.server = nil
}

// Restart stops the server and starts it on the same data. Sessions end.
func (w *World) Restart() {
	w.T.Helper()
	w.Stop()
	w.run()
}

// Round lets the office look at the server once.
func (w *World) Round() {
	w.T.Helper()
	_, err := w.office.Serve(w.T.Context(), w.server.Office(), now())
	w.must(err)
}

// Office is the organisation's office.
func (w *World) Office() *authority.Office { return w.office }

// DataHolds reports whether any file of the data folder has these bytes.
func (w *World) DataHolds(what []byte) bool {
	w.T.Helper()
	found := false
	w.must(filepath.WalkDir(w.Folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // the test's own folder
		found = found || bytes.Contains(content, what)
		return err
	}))
	return found
}

func (w *World) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

func now() uint64 { return uint64(max(0, time.Now().UnixMilli())) }

// Problem is what a refused request says.
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Rule   string `json:"rule"`
	Detail string `json:"detail"`
}

// The hosts of the local names.
const (
	Chat    = "chat"
	Console = "console"
)

// Host is a local name with the port.
func (w *World) Host(name string) string { return name + ".aldaba.localhost:" + w.Port }

// SignIn makes an account, or finds it, and gives the cookie of a browser in
// which it is signed in, with nothing proven yet.
func (w *World) SignIn(name string, role chat.Role) (cookie string) {
	w.T.Helper()
	staff := w.server.Staff()
	account, err := staff.Find(w.T.Context(), strings.ToLower(name))
	if err != nil {
		account, _, err = staff.Invite(w.T.Context(), identity.Profile{
			Login: strings.ToLower(name), Name: name, Role: role, Departments: [][16]byte{Dept, Assisted},
		})
		w.must(err)
	}
	token, err := staff.Admit(w.T.Context(), account.ID, "127.0.0.1")
	w.must(err)
	return "; __Host-aldaba-staff=" + token
}

// NewRequest is one from a page of a host, with the cookie of its browser.
func (w *World) NewRequest(ctx context.Context, host, method, path, cookie string, body io.Reader) *http.Request {
	w.T.Helper()
	r, err := http.NewRequestWithContext(ctx, method, w.Base+path, body)
	w.must(err)
	r.Host = w.Host(host)
	if method != http.MethodGet {
		r.Header.Set("Origin", "http://"+r.Host)
		r.Header.Set("Content-Type", wire.ContentType)
	}
	if cookie != "" {
		r.Header.Set("Cookie", "__Host-aldaba="+cookie)
	}
	return r
}

// Request sends a list of objects, or none with GET, and gives status and
// body. A refusal is parsed.
func (w *World) Request(host, method, path, cookie string, objects ...[]byte) (int, []byte, Problem) {
	w.T.Helper()
	status, body, problem, _ := w.exchange(host, method, path, cookie, objects...)
	return status, body, problem
}

// exchange gives the cookie that was set, too.
func (w *World) exchange(host, method, path, cookie string, objects ...[]byte) (int, []byte, Problem, string) {
	w.T.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = bytes.NewReader(wire.AppendList(nil, objects...))
	}
	answer, err := http.DefaultClient.Do(w.NewRequest(w.T.Context(), host, method, path, cookie, body))
	w.must(err)
	content, err := io.ReadAll(answer.Body)
	w.must(err)
	w.must(answer.Body.Close())
	var p Problem
	if answer.StatusCode >= http.StatusBadRequest {
		w.must(json.Unmarshal(content, &p))
	}
	for _, set := range answer.Cookies() {
		if set.Name == "__Host-aldaba" {
			_, staff, _ := strings.Cut(cookie, ";")
			cookie = set.Value + ";" + staff
		}
	}
	return answer.StatusCode, content, p, cookie
}

// List is Request that must be answered with a list.
func (w *World) List(host, method, path, cookie string, objects ...[]byte) [][]byte {
	w.T.Helper()
	status, body, problem := w.Request(host, method, path, cookie, objects...)
	if status >= http.StatusBadRequest {
		w.T.Fatalf("%s %s: %+v", method, path, problem)
	}
	list, err := wire.ReadList(body, 10_000)
	w.must(err)
	return list
}
