package server

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/pquerna/otp/totp"

	"github.com/aldaba-chat/aldaba/internal/identity"
)

const password = "seven quiet herons"

// open runs a server over a folder until the test ends.
func open(t *testing.T, folder string) *Server {
	t.Helper()
	s, err := Start(t.Context(), Options{Address: "127.0.0.1:0", Folder: folder, Pages: fstest.MapFS{}, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

func shut(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// desk is a browser of the staff.
type desk struct {
	t      *testing.T
	client *http.Client
	origin string
	cookie string
	secret string
	last   int64 // the step of the last code
}

func newDesk(t *testing.T, s *Server) *desk {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", s.Addr().String())
	}
	transport := &http.Transport{DialContext: dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &desk{t: t, client: &http.Client{Transport: transport}, origin: fmt.Sprintf("http://console.aldaba.localhost:%d", s.Addr().Port)}
}

// ask sends a request as a page of the console does, and keeps the cookie that
// comes back as a browser does.
func (d *desk) ask(method, path, body string) (int, map[string]any) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.origin+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Origin", d.origin)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if d.cookie != "" {
		r.Header.Set("Cookie", "__Host-aldaba-staff="+d.cookie)
	}
	answer, err := d.client.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, c := range answer.Cookies() {
		if c.Name == "__Host-aldaba-staff" {
			d.cookie = c.Value
			if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
				d.t.Errorf("the cookie is open: %s", c)
			}
		}
	}
	var value any
	if len(content) > 0 {
		if err := json.Unmarshal(content, &value); err != nil {
			d.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, content)
		}
	}
	if list, ok := value.([]any); ok {
		return answer.StatusCode, map[string]any{"list": list}
	}
	object, _ := value.(map[string]any)
	return answer.StatusCode, object
}

// want asks and fails for another status.
func (d *desk) want(status int, method, path, body string) map[string]any {
	d.t.Helper()
	got, answer := d.ask(method, path, body)
	if got != status {
		d.t.Fatalf("%s %s %s: got %d %v, want %d", method, path, body, got, answer, status)
	}
	return answer
}

// code is a code that was not used: that of the next step, when the present one was.
func (d *desk) code() string {
	d.t.Helper()
	step := max(time.Now().Unix()/30-1, d.last+1)
	d.last = step
	code, err := totp.GenerateCode(d.secret, time.Unix(step*30, 0))
	if err != nil {
		d.t.Fatal(err)
	}
	return code
}

// join goes through a one-time link.
func (d *desk) join(link string) map[string]any {
	d.t.Helper()
	_, token, found := strings.Cut(link, "/join#")
	if !found {
		d.t.Fatalf("no link: %s", link)
	}
	d.want(200, "POST", "/api/join", `{"token":"`+token+`"}`)
	app := d.want(200, "POST", "/api/join/password", `{"token":"`+token+`","password":"`+password+`"}`)
	d.secret, _ = app["secret"].(string)
	if _, err := base32.StdEncoding.DecodeString(d.secret); err != nil {
		d.t.Fatalf("secret %q: %v", d.secret, err)
	}
	return d.want(200, "POST", "/api/join/code", `{"token":"`+token+`","code":"`+d.code()+`"}`)
}

// founded is a server with its first administrator at a desk.
func founded(t *testing.T) (*Server, *desk) {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "data"))
	_, ticket, err := s.staff.Found(t.Context(), "Banco Sol", identity.Profile{Login: "root", Name: "Rosa"})
	if err != nil {
		t.Fatal(err)
	}
	root := newDesk(t, s)
	if recovery, _ := root.join("/join#" + ticket.Token)["recovery"].([]any); len(recovery) != 10 {
		t.Errorf("recovery codes: %v", recovery)
	}
	return s, root
}

// [S60a] The whole way of two people through the staff's API.
func TestStaffAPI(t *testing.T) {
	s, root := founded(t)
	me := root.want(200, "GET", "/api/me", "")
	if me["login"] != "root" || me["role"] != "administrator" || me["recoveryLeft"] != 10.0 {
		t.Errorf("me: %v", me)
	}
	invited := root.want(201, "POST", "/api/people", `{"login":"Ana","name":"Ana Pérez","title":"Atención","role":"agent","departments":[],"cap":3}`)
	person, _ := invited["person"].(map[string]any)
	id, _ := person["id"].(string)
	link, _ := invited["link"].(string)
	if person["login"] != "ana" || person["state"] != "invited" || !strings.HasPrefix(link, root.origin+"/join#") {
		t.Errorf("invited: %v", invited)
	}
	ana := newDesk(t, s)
	ana.join(link)
	if got := ana.want(200, "GET", "/api/me", ""); got["name"] != "Ana Pérez" || got["cap"] != 3.0 {
		t.Errorf("me: %v", got)
	}
	ana.want(404, "POST", "/api/join", `{"token":"`+strings.Split(link, "#")[1]+`"}`)

	before := ana.cookie
	ana.want(204, "DELETE", "/api/session", "")
	if ana.cookie != "" {
		t.Error("the cookie stays after signing out")
	}
	ana.cookie = before
	if got := ana.want(401, "GET", "/api/me", ""); got["code"] != "not_signed_in" {
		t.Errorf("after signing out: %v", got)
	}
	if got := ana.want(200, "POST", "/api/session", `{"login":"ana","password":"`+password+`"}`); got["step"] != "code" {
		t.Errorf("sign-in: %v", got)
	}
	ana.want(401, "GET", "/api/me", "")
	if got := ana.want(200, "POST", "/api/session/code", `{"code":"`+ana.code()+`"}`); got["step"] != "done" {
		t.Errorf("the code: %v", got)
	}
	before = ana.cookie
	ana.want(204, "POST", "/api/me/password", `{"old":"`+password+`","new":"nine loud pelicans"}`)
	if ana.cookie == before {
		t.Error("another password keeps the token")
	}
	if list, _ := root.want(200, "GET", "/api/people", "")["list"].([]any); len(list) != 2 {
		t.Errorf("people: %v", list)
	}
	edited := root.want(200, "PATCH", "/api/people/"+id, `{"name":"Ana María","cap":5}`)
	if edited["name"] != "Ana María" || edited["title"] != "Atención" || edited["cap"] != 5.0 {
		t.Errorf("edited: %v", edited)
	}
	root.want(204, "POST", "/api/people/"+id+"/suspend", "")
	ana.want(401, "GET", "/api/me", "")
	root.want(204, "POST", "/api/people/"+id+"/resume", "")
	again := root.want(200, "POST", "/api/people/"+id+"/link", "")
	if until, _ := again["expires"].(float64); time.UnixMilli(int64(until)).Before(time.Now().Add(6 * 24 * time.Hour)) {
		t.Errorf("another link: %v", again)
	}
	root.want(204, "DELETE", "/api/people/"+id, "")
	root.want(404, "DELETE", "/api/people/"+id, "")
}

// What is wrong is named by code, field and limit; who may not is told so.
func TestStaffAPI_Refusals(t *testing.T) {
	s, root := founded(t)
	ana := newDesk(t, s)
	invited := root.want(201, "POST", "/api/people", `{"login":"ana","name":"Ana","title":"","role":"agent","departments":[]}`)
	link, _ := invited["link"].(string)
	ana.join(link)
	me, _ := root.want(200, "GET", "/api/me", "")["id"].(string)
	nobody := newDesk(t, s)
	for _, c := range []struct {
		name               string
		who                *desk
		method, path, body string
		status             int
		code, field        string
		limit              float64
	}{
		{"a stranger's list", nobody, "GET", "/api/people", "", 401, "not_signed_in", "", 0},
		{"an agent's list", ana, "GET", "/api/people", "", 403, "denied", "", 0},
		{"an agent's invitation", ana, "POST", "/api/people", `{"login":"x","name":"X","title":"","role":"administrator","departments":[]}`, 403, "denied", "", 0},
		{"an agent's suspension", ana, "POST", "/api/people/" + me + "/suspend", "", 403, "denied", "", 0},
		{"a wrong password", nobody, "POST", "/api/session", `{"login":"ana","password":"no"}`, 403, "wrong_password", "password", 0},
		{"a code without a password", nobody, "POST", "/api/session/code", `{"code":"123456"}`, 401, "not_signed_in", "", 0},
		{"a link that is none", nobody, "POST", "/api/join", `{"token":"abc"}`, 404, "link_ended", "token", 0},
		{"a login that is taken", root, "POST", "/api/people", `{"login":"ANA","name":"Ana","title":"","role":"agent","departments":[]}`, 409, "login_taken", "login", 0},
		{"a login with a space", root, "POST", "/api/people", `{"login":"a b","name":"Ana","title":"","role":"agent","departments":[]}`, 400, "invalid", "login", 64},
		{"a role that is none", root, "POST", "/api/people", `{"login":"b","name":"Ana","title":"","role":"visitor","departments":[]}`, 400, "invalid", "role", 0},
		{"a department that is none", root, "POST", "/api/people", `{"login":"b","name":"Ana","title":"","role":"agent","departments":["AAAAAAAAAAAAAAAAAAAAAA"]}`, 400, "invalid", "departments", 0},
		{"a department in another form", root, "POST", "/api/people", `{"login":"b","name":"Ana","title":"","role":"agent","departments":["x"]}`, 400, "invalid", "departments", 0},
		{"a person that is none", root, "POST", "/api/people/x/suspend", "", 404, "not_found", "id", 0},
		{"the last administrator", root, "DELETE", "/api/people/" + me, "", 409, "last_administrator", "id", 0},
		{"a weak password", root, "POST", "/api/me/password", `{"old":"` + password + `","new":"Password2026!"}`, 400, "password_common", "password", 0},
		{"a short password", root, "POST", "/api/me/password", `{"old":"` + password + `","new":"short"}`, 400, "password_short", "password", 12},
		{"a wrong code", root, "POST", "/api/me/recovery", `{"code":"000000"}`, 403, "wrong_code", "code", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, got := c.who.ask(c.method, c.path, c.body)
			limit, _ := got["limit"].(float64)
			field, _ := got["field"].(string)
			if status != c.status || got["code"] != c.code || field != c.field || limit != c.limit || got["detail"] == "" {
				t.Errorf("got %d %v", status, got)
			}
		})
	}
	foreign := newDesk(t, s)
	foreign.cookie = root.cookie
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, foreign.origin+"/api/people/"+me+"/link", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", "__Host-aldaba-staff="+root.cookie)
	r.Header.Set("Origin", "https://evil.example")
	answer, err := foreign.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("another site's page: %d", answer.StatusCode)
	}
}

// Commands reach a running server by its socket, and the folder of a stopped
// one directly; long paths too.
func TestControl(t *testing.T) {
	for name, folder := range map[string]string{
		"a short path": filepath.Join(t.TempDir(), "data"),
		"a long path":  filepath.Join(t.TempDir(), strings.Repeat("long", 30), "data"),
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Address: "127.0.0.1:8700", Folder: folder}
			if _, _, err := Control(t.Context(), o); err == nil || !strings.Contains(err.Error(), "aldaba setup") {
				t.Errorf("no installation: %v", err)
			}
			ask := func() (string, string) {
				client, done, err := Control(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := done(); err != nil {
						t.Error(err)
					}
				}()
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ControlURL+"/api/people", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				answer, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				content, err := io.ReadAll(answer.Body)
				if err != nil {
					t.Fatal(err)
				}
				return answer.Status, string(content)
			}
			s := open(t, folder)
			if _, _, err := s.staff.Found(t.Context(), "Banco", identity.Profile{Login: "root", Name: "Rosa"}); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(filepath.Join(folder, controlSocket))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the socket: %v %v", info.Mode(), err)
			}
			status, running := ask()
			if !strings.HasPrefix(status, "200") || !strings.Contains(running, `"login":"root"`) {
				t.Errorf("running: %s %s", status, running)
			}
			shut(t, s)
			if _, err := os.Stat(filepath.Join(folder, controlSocket)); err == nil {
				t.Error("the socket stays")
			}
			if status, stopped := ask(); !strings.HasPrefix(status, "200") && status != "" || stopped != running {
				t.Errorf("stopped: %s %s", status, stopped)
			}
			if err := os.WriteFile(filepath.Join(folder, controlSocket), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			open(t, folder) // over what a crash left
			if _, again := ask(); again != running {
				t.Errorf("again: %s", again)
			}
		})
	}
}
