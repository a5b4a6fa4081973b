package aldabatest_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/aldabatest"
	"github.com/aldaba-chat/aldaba/internal/site"
	"github.com/aldaba-chat/aldaba/internal/store/sqlite"
)

func text(id [32]byte) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// read asks for JSON.
func read[T any](t *testing.T, p *aldabatest.Person, path string) (value T) {
	t.Helper()
	status, body, problem := p.Asks(http.MethodGet, path)
	if status != http.StatusOK {
		t.Fatalf("%s: %+v", path, problem)
	}
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
	return value
}

type queue struct {
	Conversations []struct {
		Conv   string   `json:"conv"`
		Since  int64    `json:"since"`
		At     int64    `json:"at"`
		State  string   `json:"state"`
		Agents []string `json:"agents"`
	} `json:"conversations"`
}

// states are those of a queue, in its order.
func states(t *testing.T, p *aldabatest.Person) (all []string) {
	t.Helper()
	for _, c := range read[queue](t, p, "/v1/queue").Conversations {
		all = append(all, c.State+" "+strings.Join(c.Agents, ","))
	}
	return all
}

func TestQueue_TellsWhoWaitsAndWhoAnswers(t *testing.T) {
	w := aldabatest.Start(t)
	ana, luis := w.Agent("Ana"), w.Agent("Luis")
	first, second, third := w.Visitor(), w.Visitor(), w.Visitor()
	first.Says("still here") // costs no place
	var order []string
	for _, c := range read[queue](t, ana, "/v1/queue").Conversations {
		order = append(order, c.Conv)
		if c.Since <= 0 || c.Since > c.At {
			t.Errorf("since %d, last entry at %d", c.Since, c.At)
		}
	}
	if want := []string{text(first.Conv()), text(second.Conv()), text(third.Conv())}; !slices.Equal(order, want) {
		t.Errorf("the order is %v, not %v", order, want)
	}
	ana.Accepts(first)
	luis.Accepts(second)
	for _, c := range []struct {
		who  *aldabatest.Person
		want []string
	}{
		{ana, []string{"waiting ", "mine Ana", "team Luis"}},
		{luis, []string{"waiting ", "mine Luis", "team Ana"}},
	} {
		if got := states(t, c.who); !slices.Equal(got, c.want) {
			t.Errorf("the queue is %q, not %q", got, c.want)
		}
	}
	luis.Closes()
	if got, want := states(t, luis), []string{"waiting ", "team Ana", "closed Luis"}; !slices.Equal(got, want) {
		t.Errorf("after the close the queue is %q, not %q", got, want)
	}
	w.Restart()
	ana.Proves()
	if got, want := states(t, ana), []string{"waiting ", "mine Ana"}; !slices.Equal(got, want) {
		t.Errorf("after a restart the queue is %q, not %q", got, want)
	}
}

// The server keeps the cap, of a person and not of a device, whatever the page
// shows [S04].
func TestAccept_OverTheCapIsRefused(t *testing.T) {
	w := aldabatest.Start(t)
	ana := w.Agent("Ana")
	phone := w.SecondDevice(ana, "Ana")
	var visitors []*aldabatest.Person
	for range site.DefaultCap {
		visitors = append(visitors, w.Visitor())
	}
	for i, v := range visitors {
		if i%2 == 0 {
			ana.Accepts(v)
		} else {
			phone.Accepts(v)
		}
	}
	late := w.Visitor()
	for name, device := range map[string]*aldabatest.Person{"desk": ana, "phone": phone} {
		status, problem := device.TriesToAccept(late)
		if status != http.StatusConflict || problem.Code != "at_capacity" {
			t.Errorf("one more at the %s: %+v", name, problem)
		}
	}
	if got := read[placed](t, late, placeOf(late)); got.Place != 1 {
		t.Errorf("who was not taken has place %d", got.Place)
	}
	luis := w.Agent("Luis")
	luis.Accepts(late)
	luis.Closes()

	ana.Opens(visitors[0].Conv())
	ana.Closes()
	another := w.Visitor()
	phone.Accepts(another)
	if status, problem := phone.TriesToAccept(w.Visitor()); status != http.StatusConflict || problem.Code != "at_capacity" {
		t.Errorf("one more after the close: %+v", problem)
	}
}

type placed struct {
	Place int  `json:"place"`
	Open  bool `json:"open"`
}

func placeOf(p *aldabatest.Person) string {
	conv := p.Conv()
	return "/v1/conversations/" + text(conv) + "/place"
}

func TestPlace_CountsWhoComesBeforeAndWhoIsThere(t *testing.T) {
	w := aldabatest.Start(t)
	ana := w.Agent("Ana")
	first, second := w.Visitor(), w.Visitor()
	elsewhere := w.VisitorOf(aldabatest.Assisted)
	expect := func(what string, who *aldabatest.Person, want placed) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			got := read[placed](t, who, placeOf(who))
			if got == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %+v, not %+v", what, got, want)
			}
		}
	}
	expect("the first", first, placed{1, false})
	expect("the second", second, placed{2, false})
	expect("of another department", elsewhere, placed{1, false})
	live := ana.Connects()
	expect("somebody is there", second, placed{2, true})
	ana.Accepts(first)
	expect("taken", first, placed{0, true})
	expect("the next", second, placed{1, true})
	live.Leaves()
	expect("nobody is there any more", second, placed{1, false})

	if status, _, problem := second.Asks(http.MethodGet, placeOf(first)); status < 400 {
		t.Errorf("another's place: %d", status)
	} else if _, _, missing := second.Asks(http.MethodGet, "/v1/conversations/"+text([32]byte{9})+"/place"); missing.Code != problem.Code || missing.Detail != problem.Detail {
		t.Errorf("another's place says %+v, a missing one %+v", problem, missing)
	}
}

func TestTyping_ReachesTheOthersOnly(t *testing.T) {
	w := aldabatest.Start(t)
	ana, visitor, stranger := w.Agent("Ana"), w.Visitor(), w.Visitor()
	conv := visitor.Conv()
	channel, path := "t:"+text(conv), "/v1/conversations/"+text(conv)+"/typing"
	if status, _, problem := ana.Asks(http.MethodPost, path); status != http.StatusNotFound {
		t.Errorf("who is no member yet: %d %+v", status, problem)
	}
	ana.Accepts(visitor)
	live := ana.Connects()
	if code := live.Follows(channel); code != 0 {
		t.Fatalf("follow: error %d", code)
	}
	if code := stranger.Connects().Follows(channel); code != 103 {
		t.Errorf("a stranger follows: %d", code)
	}
	if status, _, problem := visitor.Asks(http.MethodPost, path); status != http.StatusNoContent {
		t.Fatalf("typing: %d %+v", status, problem)
	}
	if got := fmt.Sprint(live.Hears(channel)); got != "map[leaf:0]" {
		t.Errorf("heard %s", got)
	}
	if status, _, problem := stranger.Asks(http.MethodPost, path); status < 400 {
		t.Errorf("a stranger types: %d %+v", status, problem)
	}
	ana.Closes()
	if status, _, _ := visitor.Asks(http.MethodPost, path); status != http.StatusNotFound {
		t.Errorf("typing in what is closed: %d", status)
	}
}

// A site that is off and one that is not there look the same, and neither takes
// a conversation.
func TestSite_TellsWhatAPageNeeds(t *testing.T) {
	w := aldabatest.Start(t)
	w.Stop()
	store, err := sqlite.Open(t.Context(), w.Folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []site.Site{
		{
			ID: "bank", Name: "Banco Sol", Languages: []string{"es"}, Departments: [][16]byte{aldabatest.Assisted}, Enabled: true,
			Fields: []site.Field{{Name: "name", Kind: "text", Label: map[string]string{"es": "Nombre"}, Required: true}},
		},
		{ID: "off", Name: "Off", Languages: []string{"es"}, Departments: [][16]byte{aldabatest.Dept}},
	} {
		if err := store.AddSite(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	w.Restart()
	type department struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Mode string `json:"mode"`
	}
	type told struct {
		Dept        string       `json:"dept"`
		Name        string       `json:"name"`
		Mode        int          `json:"mode"`
		Languages   []string     `json:"languages"`
		Departments []department `json:"departments"`
		Fields      []site.Field `json:"fields"`
		Open        bool         `json:"open"`
	}
	visitor := w.Visitor()
	all := read[told](t, visitor, "/v1/site")
	if all.Name != "" || len(all.Departments) != 2 || all.Open || len(all.Languages) != 2 {
		t.Errorf("the organisation's own page: %+v", all)
	}
	bank := read[told](t, visitor, "/v1/site?site=bank")
	if bank.Name != "Banco Sol" || bank.Mode != 1 || !slices.Equal(bank.Departments, []department{{bank.Dept, "sales", "assisted"}}) ||
		len(bank.Fields) != 1 || bank.Fields[0].Label["es"] != "Nombre" {
		t.Errorf("the bank's: %+v", bank)
	}
	_, _, off := visitor.Asks(http.MethodGet, "/v1/site?site=off")
	_, _, missing := visitor.Asks(http.MethodGet, "/v1/site?site=none")
	if off.Status != http.StatusNotFound || off != missing || off.Code != "unknown_site" {
		t.Errorf("a site that is off: %+v; a missing one: %+v", off, missing)
	}
	w.VisitorAt("bank", aldabatest.Assisted)
	for _, c := range []struct {
		site string
		dept [16]byte
		code string
	}{
		{"off", aldabatest.Dept, "unknown_site"},
		{"none", aldabatest.Dept, "unknown_site"},
		{"bank", aldabatest.Dept, "invalid"},
	} {
		if _, problem := w.TriesToBegin(c.site, c.dept); problem.Code != c.code {
			t.Errorf("a conversation from %s: %+v", c.site, problem)
		}
	}
}
