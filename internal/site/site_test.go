package site_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/site"
	"github.com/aldaba-chat/aldaba/internal/store/sqlite"
)

const chatOrigin = "https://chat.bank.example"

// office is a set of sites on a real store, with a clock that stands.
type office struct {
	*site.Sites
	store *sqlite.Store
	now   time.Time
}

func open(t testing.TB) *office {
	t.Helper()
	store, err := sqlite.Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	o := &office{store: store, now: time.UnixMilli(1_000_000)}
	o.reopen(t)
	return o
}

func (o *office) reopen(t testing.TB) {
	t.Helper()
	var err error
	o.Sites, err = site.Open(t.Context(), site.Options{
		Store: o.store, Chat: func() string { return chatOrigin }, Now: func() time.Time { return o.now },
		Departments: func() [][16]byte { return [][16]byte{{1}, {2}} },
	})
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bank is a site in which everything is right.
func bank() site.Site {
	return site.Site{
		ID: "bank", Name: "Banco Sol", Origins: []string{"https://www.bank.example"}, Languages: []string{"es", "en"},
		Departments: [][16]byte{{1}}, Enabled: true,
		Fields: []site.Field{
			{Name: "name", Kind: "text", Label: map[string]string{"es": "Nombre", "en": "Name"}},
			{Name: "topic", Kind: "choice", Label: map[string]string{"es": "Tema", "en": "Topic"}, Choices: []string{"cuentas", "tarjetas"}},
		},
		Contact: site.Contact{Text: "900 000 000", Href: "tel:+34900000000"},
	}
}

func TestSites_WhatCannotBeRightIsNamed(t *testing.T) {
	o := open(t)
	must(t, o.Add(t.Context(), bank()))
	many := func(n int, each func(int) string) (all []string) {
		for i := range n {
			all = append(all, each(i))
		}
		return all
	}
	for _, c := range []struct {
		name   string
		change func(*site.Site)
		field  string
		limit  int64
	}{
		{"an id in capitals", func(s *site.Site) { s.ID = "Bank" }, "id", 32},
		{"an id that begins with a digit", func(s *site.Site) { s.ID = "1bank" }, "id", 32},
		{"an id of 33 letters", func(s *site.Site) { s.ID = strings.Repeat("a", 33) }, "id", 32},
		{"an id with a line end behind it", func(s *site.Site) { s.ID = "shop\n" }, "id", 32},
		{"an id that is taken", func(s *site.Site) { s.ID = "bank" }, "id", 0},
		{"no name", func(s *site.Site) { s.Name = "" }, "name", 80},
		{"a name of spaces", func(s *site.Site) { s.Name = "  " }, "name", 80},
		{"a name of 81 characters", func(s *site.Site) { s.Name = strings.Repeat("ñ", 81) }, "name", 80},
		{"a name of two lines", func(s *site.Site) { s.Name = "a\nb" }, "name", 0},
		{"a name that turns its direction", func(s *site.Site) { s.Name = "a\u202eb" }, "name", 0},
		{"a name that is not UTF-8", func(s *site.Site) { s.Name = "a\xff" }, "name", 0},
		{"17 origins", func(s *site.Site) {
			s.Origins = many(17, func(i int) string { return fmt.Sprintf("https://s%d.example", i) })
		}, "origins", 16},
		{"an origin twice", func(s *site.Site) { s.Origins = append(s.Origins, s.Origins[0]) }, "origins[1]", 0},
		{"the chat's own origin", func(s *site.Site) { s.Origins = []string{chatOrigin} }, "origins[0]", 0},
		{"a long origin", func(s *site.Site) { s.Origins[0] = "https://" + strings.Repeat("a.", 200) + "example" }, "origins[0]", 255},
		{"no language", func(s *site.Site) { s.Languages = nil }, "languages", 1},
		{"an unknown language", func(s *site.Site) { s.Languages = []string{"es", "xx"} }, "languages[1]", 0},
		{"a language twice", func(s *site.Site) { s.Languages = []string{"es", "es"} }, "languages[1]", 0},
		{"no department", func(s *site.Site) { s.Departments = nil }, "departments", 16},
		{"a department of no policy", func(s *site.Site) { s.Departments = [][16]byte{{9}} }, "departments[0]", 0},
		{"a department twice", func(s *site.Site) { s.Departments = [][16]byte{{1}, {1}} }, "departments[1]", 0},
		{"nine fields", func(s *site.Site) { s.Fields = make([]site.Field, 9) }, "fields", 8},
		{"a field's name with a hyphen", func(s *site.Site) { s.Fields[0].Name = "first-name" }, "fields[0].name", 32},
		{"two fields of one name", func(s *site.Site) { s.Fields[1].Name = "name" }, "fields[1].name", 0},
		{"a kind that is none", func(s *site.Site) { s.Fields[0].Kind = "card" }, "fields[0].kind", 0},
		{"a label that is missing", func(s *site.Site) { delete(s.Fields[0].Label, "en") }, "fields[0].label.en", 80},
		{"a label of no language", func(s *site.Site) { s.Fields[0].Label["fr"] = "Nom" }, "fields[0].label", 0},
		{"choices of a text", func(s *site.Site) { s.Fields[0].Choices = []string{"a", "b"} }, "fields[0].choices", 0},
		{"a choice among one", func(s *site.Site) { s.Fields[1].Choices = []string{"a"} }, "fields[1].choices", 20},
		{"a choice among 21", func(s *site.Site) { s.Fields[1].Choices = many(21, func(i int) string { return fmt.Sprint(i) }) }, "fields[1].choices", 20},
		{"a choice twice", func(s *site.Site) { s.Fields[1].Choices = []string{"a", "a"} }, "fields[1].choices[1]", 0},
		{"a contact that runs", func(s *site.Site) { s.Contact.Href = "javascript:alert(1)" }, "contact.href", 0},
		{"a contact without encryption", func(s *site.Site) { s.Contact.Href = "http://bank.example" }, "contact.href", 0},
		{"a contact with a user", func(s *site.Site) { s.Contact.Href = "https://bank.example@evil.example/" }, "contact.href", 0},
		{"a contact without a number", func(s *site.Site) { s.Contact.Href = "tel:" }, "contact.href", 0},
		{"a contact with a space", func(s *site.Site) { s.Contact.Href = "mailto:a b@bank.example" }, "contact.href", 0},
		{"a contact of 501 bytes", func(s *site.Site) { s.Contact.Href = "https://bank.example/" + strings.Repeat("a", 480) }, "contact.href", 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := bank()
			s.ID = "shop"
			c.change(&s)
			refused(t, o.Add(t.Context(), s), c.field, c.limit)
			if len(o.List()) != 1 {
				t.Error("the site is there all the same")
			}
			if s.ID != "shop" {
				return
			}
			_, err := o.Edit(t.Context(), "bank", c.change)
			refused(t, err, c.field, c.limit)
			if now, err := o.Get("bank"); err != nil || now.Name != "Banco Sol" {
				t.Errorf("a refused edit left %+v, %v", now, err)
			}
		})
	}
}

func refused(t *testing.T, err error, field string, limit int64) {
	t.Helper()
	e, ok := errors.AsType[*chat.Error](err)
	if !ok || e.Field != field || e.Limit != limit || e.Message == "" {
		t.Errorf("got %v (%+v), want a refusal of %s with the limit %d", err, e, field, limit)
	}
}

func TestSites_Origins(t *testing.T) {
	o := open(t)
	for _, c := range []struct {
		origin string
		right  bool
	}{
		{"https://bank.example", true},
		{"https://bank.example:8443", true},
		{"https://xn--caa-8na.example", true},
		{"https://192.0.2.7", true},
		{"http://localhost:3000", true},
		{"http://bank.aldaba.localhost:8700", true},
		{"http://127.0.0.1:1", true},
		{"http://[::1]:8080", true},
		{"http://bank.example", false},
		{"http://localhost.example", false},
		{"http://notlocalhost", false},
		{"https://*.bank.example", false},
		{"https://bank.example/", false},
		{"https://bank.example/page", false},
		{"https://bank.example?q", false},
		{"https://bank.example#f", false},
		{"https://user@bank.example", false},
		{"https://Bank.example", false},
		{"HTTPS://bank.example", false},
		{"https://bank.example:443", false},
		{"http://localhost:80", false},
		{"https://bank.example:0", false},
		{"https://bank.example:070", false},
		{"https://bank.example:65536", false},
		{"https://bank.example:", false},
		{"https://caña.example", false},
		{"https://bank.example.", false},
		{"https://-bank.example", false},
		{"https://bank.example; script-src *", false},
		{"https://bank.example\n", false},
		{"https://[0:0:0:0:0:0:0:1]", false},
		{"https://", false},
		{"wss://bank.example", false},
		{"data:,x", false},
		{"null", false},
		{"'self'", false},
		{"*", false},
		{"", false},
	} {
		t.Run(c.origin, func(t *testing.T) {
			s := bank()
			s.Origins = []string{c.origin}
			err := o.Add(t.Context(), s)
			if c.right {
				must(t, err)
				must(t, o.Remove(t.Context(), "bank"))
			} else if e, ok := errors.AsType[*chat.Error](err); !ok || e.Field != "origins[0]" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// An origin goes into a header as it is: whatever is accepted is one word that
// names one host, and no policy can be written with it.
func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{"https://bank.example", "http://[::1]:8080", "https://a.b:8443", "https://x; script-src *", "http://127.0.0.1:1"} {
		f.Add(seed)
	}
	o := open(f)
	f.Fuzz(func(t *testing.T, origin string) {
		s := bank()
		s.Origins = []string{origin}
		if o.Add(t.Context(), s) != nil {
			return
		}
		must(t, o.Remove(t.Context(), "bank"))
		u, err := url.Parse(origin)
		if err != nil || u.Scheme+"://"+u.Host != origin || strings.ContainsAny(origin, " ;,'\"*\t\r\n\\") ||
			strings.ToLower(origin) != origin || u.Scheme != "https" && u.Scheme != "http" {
			t.Errorf("%q was accepted", origin)
		}
	})
}

func TestSites_LiveAFullLifeAndOutliveTheProcess(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	must(t, o.Add(ctx, bank()))
	shop := bank()
	shop.ID, shop.Enabled, shop.Departments = "shop", false, [][16]byte{{2}}
	must(t, o.Add(ctx, shop))

	if _, err := o.Live("shop"); chat.KindOf(err) != chat.KindNotFound {
		t.Errorf("a site that is switched off: %v", err)
	}
	_, off := o.Live("shop")
	if _, missing := o.Live("none"); missing == nil || missing.Error() != off.Error() {
		t.Errorf("a site that is switched off says %v, a missing one %v", off, missing)
	}
	must(t, o.Reaches("bank", [16]byte{1}))
	if err := o.Reaches("bank", [16]byte{2}); chat.KindOf(err) != chat.KindInvalid {
		t.Errorf("a department of another site: %v", err)
	}

	for _, origin := range []string{"https://evil.example", "", "https://www.bank.example"} {
		must(t, o.Saw(ctx, "bank", origin))
	}
	first := o.now.UnixMilli()
	o.now = o.now.Add(59 * time.Second)
	must(t, o.Saw(ctx, "bank", "https://www.bank.example"))
	seen, err := o.Get("bank")
	must(t, err)
	if seen.Seen != (site.Seen{At: first, Origin: "https://www.bank.example"}) {
		t.Errorf("seen %+v", seen.Seen)
	}
	o.now = o.now.Add(time.Second)
	must(t, o.Saw(ctx, "bank", "https://www.bank.example"))

	edited, err := o.Edit(ctx, "bank", func(s *site.Site) {
		s.ID, s.Name, s.Seen = "other", "Banco Luna", site.Seen{}
		s.Fields[0].Label["es"] = "Tu nombre"
	})
	must(t, err)
	if edited.ID != "bank" || edited.Name != "Banco Luna" || edited.Seen.At != first+60_000 {
		t.Errorf("after the edit: %+v", edited)
	}
	if seen.Fields[0].Label["es"] != "Nombre" {
		t.Error("the edit reached into a site that was given out before")
	}
	if _, err := o.Edit(ctx, "none", func(*site.Site) {}); chat.KindOf(err) != chat.KindNotFound {
		t.Errorf("an edit of nothing: %v", err)
	}
	must(t, o.SetCap(ctx, [16]byte{1}, 50))

	o.reopen(t)
	all := o.List()
	if len(all) != 2 || all[0].ID != "bank" || all[0].Name != "Banco Luna" || all[0].Seen.At != first+60_000 || all[1].ID != "shop" {
		t.Errorf("after a restart: %+v", all)
	}
	if a, b := o.Cap([16]byte{1}), o.Cap([16]byte{2}); a != 50 || b != site.DefaultCap {
		t.Errorf("caps after a restart: %d and %d", a, b)
	}
	must(t, o.Remove(ctx, "bank"))
	if err := o.Remove(ctx, "bank"); chat.KindOf(err) != chat.KindNotFound {
		t.Errorf("a second removal: %v", err)
	}
}

func TestSites_CapsHaveLimits(t *testing.T) {
	o := open(t)
	for _, open := range []int{-1, 0, 51} {
		refused(t, o.SetCap(t.Context(), [16]byte{1}, open), "cap", 50)
	}
	if err := o.SetCap(t.Context(), [16]byte{9}, 5); chat.KindOf(err) != chat.KindNotFound {
		t.Errorf("a department of no policy: %v", err)
	}
}

// Many change at once; every change is there, and whoever reads sees whole sites.
func TestSites_AtOnce(t *testing.T) {
	o := open(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s := bank()
			s.ID = fmt.Sprintf("site-%d", i)
			if err := o.Add(t.Context(), s); err != nil {
				t.Error(err)
			}
			for range 20 {
				if _, err := o.Edit(t.Context(), "site-0", func(s *site.Site) { s.Enabled = !s.Enabled }); err != nil && chat.KindOf(err) != chat.KindNotFound {
					t.Error(err)
				}
				for _, s := range o.List() {
					if s.Name != "Banco Sol" || len(s.Fields) != 2 {
						t.Errorf("half a site: %+v", s)
					}
				}
			}
		})
	}
	all.Wait()
	if n := len(o.List()); n != 8 {
		t.Errorf("%d sites", n)
	}
}

func TestInstallation(t *testing.T) {
	s := bank()
	loader := site.Loader{File: "9f3c.js", Integrity: "sha384-abc+/="}
	got := s.Installation(chatOrigin, loader)
	want := site.Install{
		Snippet:     `<script src="https://chat.bank.example/l/9f3c.js" integrity="sha384-abc+/=" crossorigin="anonymous" async data-site="bank"></script>`,
		CSP:         "script-src 'sha384-abc+/='; frame-src https://chat.bank.example",
		CSPByOrigin: "script-src https://chat.bank.example; frame-src https://chat.bank.example",
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	s.Languages = []string{"en"}
	if got := s.Installation(chatOrigin, loader).Snippet; !strings.Contains(got, ` data-site="bank" data-locale="en">`) {
		t.Errorf("a site of one language: %s", got)
	}
}
