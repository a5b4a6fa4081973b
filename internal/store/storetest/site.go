package storetest

import (
	"errors"
	"io"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/site"
)

// Sites is the contract of [site.Store].
func Sites[S interface {
	site.Store
	io.Closer
}](t *testing.T, open Open[S],
) {
	ctx := t.Context()
	folder := t.TempDir()
	s := open(t, folder)

	shop := site.Site{ID: "shop", Name: "Tienda", Origins: []string{}, Languages: []string{"es"}, Departments: [][16]byte{{1}}, Fields: []site.Field{}}
	bank := site.Site{
		ID: "bank", Name: "Banco «Sol»", Origins: []string{"https://bank.example", "http://bank.localhost:8700"},
		Languages: []string{"es", "en"}, Departments: [][16]byte{{2}, {1}},
		Fields: []site.Field{
			{Name: "name", Kind: "text", Label: map[string]string{"es": "Nombre", "en": "Name"}, Required: true},
			{Name: "about", Kind: "choice", Label: map[string]string{"es": "Tema", "en": "Topic"}, Choices: []string{"a", "b"}},
		},
		Contact: site.Contact{Text: "Llámanos", Href: "tel:+34900000000"}, Enabled: true,
	}
	seen := site.Seen{At: 5, Origin: "https://bank.example"}

	none, err := s.Sites(ctx)
	must(t, err)
	equal(t, "sites of an empty store", len(none), 0)
	must(t, s.AddSite(ctx, shop))
	first := bank
	first.Name, first.Enabled = "before the edit", false
	must(t, s.AddSite(ctx, first))
	if err := s.AddSite(ctx, bank); !errors.Is(err, site.ErrTaken) {
		t.Errorf("a second site of the same id: got %v", err)
	}
	must(t, s.SawSite(ctx, "bank", seen))
	must(t, s.EditSite(ctx, bank))
	gone := shop
	gone.ID = "gone"
	must(t, s.AddSite(ctx, gone))
	must(t, s.RemoveSite(ctx, "gone"))
	for what, err := range map[string]error{
		"edit": s.EditSite(ctx, gone), "remove": s.RemoveSite(ctx, "gone"), "see": s.SawSite(ctx, "gone", seen),
	} {
		if !errors.Is(err, site.ErrNotFound) {
			t.Errorf("%s a site that is not there: got %v", what, err)
		}
	}
	must(t, s.SetCap(ctx, [16]byte{1}, 3))
	must(t, s.SetCap(ctx, [16]byte{1}, 7))
	must(t, s.SetCap(ctx, [16]byte{2}, 1))

	bank.Seen = seen
	check := func(s S) {
		t.Helper()
		sites, err := s.Sites(ctx)
		must(t, err)
		equal(t, "sites, by id, an edit keeps when they were seen", sites, []site.Site{bank, shop})
		caps, err := s.Caps(ctx)
		must(t, err)
		equal(t, "caps, the last one of each department", caps, map[[16]byte]int{{1}: 7, {2}: 1})
	}
	check(s)
	must(t, s.Close())
	check(open(t, folder))
}
