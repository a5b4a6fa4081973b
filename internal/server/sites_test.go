package server

import (
	"crypto/ed25519"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/fanout"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

var support, sales = [16]byte{1}, [16]byte{2}

// organised is a server with a loader, an administrator at a desk, and an
// organisation of two departments.
func organised(t *testing.T) (*Server, *authority.Office, *desk) {
	t.Helper()
	s, err := Start(t.Context(), Options{
		Address: "127.0.0.1:0", Folder: filepath.Join(t.TempDir(), "data"), Version: "test",
		Pages: fstest.MapFS{"loader/v1.js": {Data: []byte("loader")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	_, ticket, err := s.staff.Found(t.Context(), "Banco Sol", identity.Profile{Login: "root", Name: "Rosa"})
	if err != nil {
		t.Fatal(err)
	}
	root := newDesk(t, s)
	root.join("/join#" + ticket.Token)
	if steps := setupOf(root); slices.Contains(steps, true) {
		t.Errorf("steps done at the beginning: %v", steps)
	}
	now := uint64(max(0, time.Now().UnixMilli()))
	key, err := s.Office().StatusKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	office, err := authority.New(authority.Options{
		Departments: []authority.Department{{ID: support, Name: "Atención", Mode: seal.Sealed}, {ID: sales, Name: "Ventas", Mode: seal.Sealed}},
		StatusKey:   key, Custody: seal.Company, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.Serve(t.Context(), s.Office(), now); err != nil {
		t.Fatal(err)
	}
	return s, office, root
}

func setupOf(root *desk) (done []bool) {
	root.t.Helper()
	list, _ := root.want(200, "GET", "/api/setup", "")["list"].([]any)
	for _, one := range list {
		step, _ := one.(map[string]any)
		is, _ := step["done"].(bool)
		done = append(done, is)
	}
	return done
}

func TestSitesAPI_AFullLife(t *testing.T) {
	s, _, root := organised(t)
	id := func(dept [16]byte) string { return wire.Text(dept[:]) }
	body := `{"id":"bank","name":"Banco Sol","origins":["https://www.bank.example"],"languages":["es"],"departments":["Ventas"],
		"fields":[{"name":"name","kind":"text","label":{"es":"Nombre"},"required":true}],"contact":{"href":"tel:900"}}`
	bank := root.want(201, "POST", "/api/sites", body)
	chatAt := fmt.Sprintf("http://chat.aldaba.localhost:%d", s.Addr().Port)
	snippet, _ := bank["snippet"].(string)
	for _, part := range []string{`src="` + chatAt + `/l/`, ` integrity="sha384-`, ` data-site="bank"`, ` data-locale="es"`} {
		if !strings.Contains(snippet, part) {
			t.Errorf("the snippet %s lacks %s", snippet, part)
		}
	}
	if csp := fmt.Sprint(bank["csp"]); !strings.HasPrefix(csp, "script-src 'sha384-") || !strings.HasSuffix(csp, "; frame-src "+chatAt) {
		t.Errorf("csp %s", csp)
	}
	if fmt.Sprint(bank["departments"]) != "["+id(sales)+"]" || bank["enabled"] != true || bank["seen"] != nil {
		t.Errorf("the site: %v", bank)
	}
	if got := root.want(409, "POST", "/api/sites", body); got["field"] != "id" {
		t.Errorf("again: %v", got)
	}
	if err := s.sites.Saw(t.Context(), "bank", "https://www.bank.example"); err != nil {
		t.Fatal(err)
	}
	changed := root.want(200, "PATCH", "/api/sites/bank", `{"name":"Banco Luna","departments":["`+id(support)+`"],"enabled":false}`)
	seen, _ := changed["seen"].(map[string]any)
	if changed["name"] != "Banco Luna" || changed["enabled"] != false || seen["origin"] != "https://www.bank.example" || fmt.Sprint(changed["origins"]) != "[https://www.bank.example]" {
		t.Errorf("after the change: %v", changed)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		field, code        string
	}{
		{"PATCH", "/api/sites/bank", `{"origins":["` + chatAt + `"]}`, 400, "origins[0]", "invalid"},
		{"PATCH", "/api/sites/bank", `{"departments":["Cobros"]}`, 400, "departments", "invalid"},
		{"PATCH", "/api/sites/bank", `{"id":"other"}`, 400, "id", "invalid"},
		{"PATCH", "/api/sites/bank", `{"name":"a","name":"b"}`, 400, "body", "invalid"},
		{"PATCH", "/api/sites/none", `{"name":"x"}`, 404, "site", "unknown_site"},
		{"DELETE", "/api/sites/none", "", 404, "site", "unknown_site"},
		{"POST", "/api/sites", `{"id":"shop"}`, 400, "name", "invalid"},
		{"PATCH", "/api/departments/" + id(support), `{"cap":0}`, 400, "cap", "invalid"},
		{"PATCH", "/api/departments/" + id(support), `{"cap":51}`, 400, "cap", "invalid"},
		{"PATCH", "/api/departments/none", `{"cap":1}`, 404, "id", "not_found"},
	} {
		got := root.want(c.status, c.method, c.path, c.body)
		if field, _ := got["field"].(string); got["code"] != c.code || field != c.field {
			t.Errorf("%s %s %s: %v", c.method, c.path, c.body, got)
		}
	}
	if got := root.want(200, "PATCH", "/api/departments/Atención", `{"cap":7}`); got["cap"] != 7.0 || got["mode"] != "sealed" || got["name"] != "Atención" {
		t.Errorf("the department: %v", got)
	}
	root.want(204, "DELETE", "/api/sites/bank", "")
	if list := root.want(200, "GET", "/api/sites", "")["list"]; fmt.Sprint(list) != "[]" {
		t.Errorf("after the removal: %v", list)
	}
	stranger := newDesk(t, s)
	for _, path := range []string{"/api/sites", "/api/departments", "/api/setup", "/api/supervision"} {
		stranger.want(401, "GET", path, "")
	}
}

// seated gives an account that has joined, with a device that holds a
// certificate, at a desk where it is signed in.
func seated(t *testing.T, s *Server, office *authority.Office, login string, role chat.Role, departments ...[16]byte) (*desk, *seal.Certificate) {
	t.Helper()
	ctx := t.Context()
	who, ticket, err := s.staff.Invite(ctx, identity.Profile{Login: login, Name: strings.ToUpper(login), Role: role, Departments: departments})
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, s)
	d.join("/join#" + ticket.Token)
	now := uint64(max(0, time.Now().UnixMilli()))
	inv, _, err := office.Invite(authority.Invite{Name: login, Role: seal.Agent, Departments: departments}, now)
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &seal.Enrolment{Org: office.Org(), Invitation: inv.ID(), Kind: seal.Agent, SigKey: seal.PublicKey(key), Time: now}
	copy(e.Subject[:], login)
	copy(e.Device[:], login)
	seal.Sign(e, e.Org, nil, key)
	mac := inv.MAC(e.Bytes())
	id, err := s.directory.Request(ctx, e.Bytes(), mac[:], func([32]byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.Serve(ctx, s.Office(), now); err != nil {
		t.Fatal(err)
	}
	certificate, err := s.directory.Certificate(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.staff.BindDevice(ctx, who.ID, e.SigKey); err != nil {
		t.Fatal(err)
	}
	x := new(seal.Certificate)
	if err := seal.Parse(certificate, x); err != nil {
		t.Fatal(err)
	}
	return d, x
}

// waits puts a conversation into a department's line since a moment; with
// subjects it is taken by them.
func waits(t *testing.T, s *Server, n byte, dept [16]byte, since time.Time, subjects ...[16]byte) {
	t.Helper()
	r := conversation.Record{
		Conv: [32]byte{n}, Dept: dept, State: conversation.Waiting, Seats: subjects,
		Entry: conversation.Entry{Object: []byte{n}, Hash: [32]byte{n}, At: since.UnixMilli()},
	}
	if len(subjects) > 0 {
		r.State = conversation.Taken
	}
	if err := s.store.Append(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func TestSupervision_ShowsOnesOwnDepartments(t *testing.T) {
	s, office, root := organised(t)
	marta, _ := seated(t, s, office, "marta", chat.RoleSupervisor, support)
	ana, device := seated(t, s, office, "ana", chat.RoleAgent, support, sales)
	seated(t, s, office, "luis", chat.RoleAgent, sales)
	ana.want(403, "GET", "/api/supervision", "")
	root.want(403, "GET", "/api/supervision", "")

	long := time.Now().Add(-time.Hour)
	waits(t, s, 1, support, long)
	waits(t, s, 2, support, time.Now())
	waits(t, s, 3, sales, long)
	waits(t, s, 4, support, long, device.Subject)
	waits(t, s, 5, sales, long, device.Subject)
	if err := s.sites.SetCap(t.Context(), support, 9); err != nil {
		t.Fatal(err)
	}
	// see gives the supervisor's page in one line each.
	see := func() (queue, agents, alerts string) {
		t.Helper()
		page := marta.want(200, "GET", "/api/supervision", "")
		list := func(name string, members ...string) string {
			var all []string
			list, _ := page[name].([]any)
			for _, one := range list {
				object, _ := one.(map[string]any)
				var line []string
				for _, m := range members {
					if object[m] != nil {
						line = append(line, fmt.Sprint(object[m]))
					}
				}
				all = append(all, strings.Join(line, " "))
			}
			return strings.Join(all, ", ")
		}
		return list("queue", "department", "waiting"), list("agents", "name", "state", "reason", "open", "cap"), list("alerts", "kind", "who")
	}
	expect := func(what, agents, alerts string) {
		t.Helper()
		queue, gotAgents, gotAlerts := see()
		if queue != wire.Text(support[:])+" 2" || gotAgents != agents || gotAlerts != alerts {
			t.Errorf("%s: queue %q, agents %q, alerts %q", what, queue, gotAgents, gotAlerts)
		}
	}
	expect("nobody is there", "ANA offline 2 9, MARTA offline 0 9", "nobody Atención, wait Atención")
	who := fanout.Session{Owner: device.Hash()}
	s.connected(who, nil)
	expect("ana is there", "ANA online 2 9, MARTA offline 0 9", "wait Atención")
	if got := ana.want(200, "PUT", "/api/me/presence", `{"state":"away","reason":"comida"}`); got["state"] != "away" {
		t.Errorf("presence: %v", got)
	}
	expect("ana is away", "ANA away comida 2 9, MARTA offline 0 9", "nobody Atención, wait Atención")
	if me := ana.want(200, "GET", "/api/me", ""); fmt.Sprint(me["presence"]) != "map[reason:comida state:away]" {
		t.Errorf("me: %v", me)
	}
	for body, field := range map[string]string{
		`{"state":"offline"}`:                  "state",
		`{"state":"online","reason":"x"}`:      "reason",
		`{"state":"away","reason":"a\u0000b"}`: "reason",
		`{"state":"away","until":5}`:           "until",
	} {
		if got := ana.want(400, "PUT", "/api/me/presence", body); got["field"] != field {
			t.Errorf("%s: %v", body, got)
		}
	}
	root.want(403, "PUT", "/api/me/presence", `{"state":"away"}`)
	s.disconnected(who)
	expect("ana is gone", "ANA offline 2 9, MARTA offline 0 9", "nobody Atención, wait Atención")

	// The person's own cap goes before the department's.
	id := ""
	people, _ := root.want(200, "GET", "/api/people", "")["list"].([]any)
	for _, one := range people {
		if p, _ := one.(map[string]any); p["login"] == "ana" {
			id = fmt.Sprint(p["id"])
		}
	}
	root.want(200, "PATCH", "/api/people/"+id, `{"cap":2}`)
	if inDept, inAll, err := (offices{s.sites, s}).Room(t.Context(), device, support); err != nil || inDept != 9 || inAll != 2 {
		t.Errorf("room: %d, %d, %v", inDept, inAll, err)
	}
	list, _ := root.want(200, "GET", "/api/departments", "")["list"].([]any)
	var shown []string
	for _, one := range list {
		d, _ := one.(map[string]any)
		shown = append(shown, fmt.Sprint(d["name"], d["cap"], d["people"], d["waiting"]))
	}
	if got := strings.Join(shown, ", "); got != "Atención9 2 2, Ventas5 2 1" {
		t.Errorf("departments: %s", got)
	}
}

// What is missing is named until it is there.
func TestSetup_NamesWhatIsMissing(t *testing.T) {
	s, office, root := organised(t)
	expect := func(what string, want ...bool) {
		t.Helper()
		if got := setupOf(root); !slices.Equal(got, want) {
			t.Errorf("%s: %v", what, got)
		}
	}
	expect("an organisation with departments", true, true, false, false, false)
	root.want(201, "POST", "/api/sites", `{"id":"shop","name":"Tienda","departments":["Ventas"]}`)
	expect("a site on no page", true, true, false, false, false)
	root.want(200, "PATCH", "/api/sites/shop", `{"origins":["https://shop.example"]}`)
	expect("a site", true, true, true, false, false)
	_, device := seated(t, s, office, "ana", chat.RoleAgent, sales)
	expect("a person with a device", true, true, true, true, false)
	waits(t, s, 1, sales, time.Now())
	expect("a visitor", true, true, true, true, false)
	waits(t, s, 2, sales, time.Now(), device.Subject)
	expect("an answer", true, true, true, true, true)
}
