package server

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/identity"
)

// A link of the demonstration signs in the person whose host name it is opened
// at, and there is no such way into a server that is no demonstration.
func TestDemo_LinksSignIn(t *testing.T) {
	var asked []string
	s, err := Start(t.Context(), Options{
		Address: "127.0.0.1:0", Folder: filepath.Join(t.TempDir(), "data"), Pages: fstest.MapFS{"loader/v1.js": {}}, Version: "test",
		Demo: true, Admits: func(login, token string) bool {
			asked = append(asked, login)
			return token == "right "+login
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	people := []identity.Profile{
		{Login: "admin", Name: "Administración"}, {Login: "ana", Name: "Ana", Role: chat.RoleAgent},
	}
	for range 2 { // as at each start
		if err := s.Populate(t.Context(), "Banco", people); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) *desk {
		d := newDesk(t, s)
		d.origin = fmt.Sprintf("http://%s.aldaba.localhost:%d", name, s.Addr().Port)
		return d
	}
	ana := at("ana")
	ana.want(401, "GET", "/api/me", "")
	for _, token := range []string{"", "right luis"} {
		if answer := ana.want(403, "POST", "/api/demo", `{"token":"`+token+`"}`); answer["code"] != "link_spent" {
			t.Errorf("got %v", answer)
		}
	}
	ana.want(204, "POST", "/api/demo", `{"token":"right ana"}`)
	if me := ana.want(200, "GET", "/api/me", ""); me["login"] != "ana" || me["role"] != "agent" || me["demo"] != true {
		t.Errorf("got %v", me)
	}
	admin := at("admin")
	admin.want(204, "POST", "/api/demo", `{"token":"right admin"}`)
	if me := admin.want(200, "GET", "/api/me", ""); me["role"] != "administrator" {
		t.Errorf("got %v", me)
	}
	at("nobody").want(404, "POST", "/api/demo", `{"token":"right nobody"}`)
	if len(asked) != 5 || asked[4] != "nobody" {
		t.Errorf("asked for %q", asked)
	}

	real := newDesk(t, open(t, filepath.Join(t.TempDir(), "real")))
	real.want(404, "POST", "/api/demo", `{"token":"right console"}`)
}
