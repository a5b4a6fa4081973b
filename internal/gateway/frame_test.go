package gateway_test

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aldaba-chat/aldaba/internal/gateway"
	"github.com/aldaba-chat/aldaba/internal/site"
)

// websites are those of a test: by id, where they may stand. One without
// origins is live, and stands on no page.
type websites struct {
	origins map[string][]string
	off     string
	saw     []string
}

func (w *websites) Origins(site string) ([]string, bool) {
	origins, ok := w.origins[site]
	return origins, ok && site != w.off
}

func (w *websites) Official() (all []gateway.OfficialSite) {
	for _, id := range slices.Sorted(maps.Keys(w.origins)) {
		all = append(all, gateway.OfficialSite{Name: id, Origins: w.origins[id]})
	}
	return all
}

func (w *websites) Saw(_ context.Context, site, origin string) error {
	w.saw = append(w.saw, site+" "+origin)
	return nil
}

const aLoader = "loader"

func loaderName(content string) string {
	sum := sha512.Sum384([]byte(content))
	return base64.RawURLEncoding.EncodeToString(sum[:]) + ".js"
}

func framesOf(sites *websites) http.Handler {
	files := maps.Clone(pages)
	files["loader/v1.js"] = &fstest.MapFile{Data: []byte(aLoader)}
	files["loader/"+loaderName(aLoader)] = &fstest.MapFile{Data: []byte(aLoader)}
	files["loader/"+loaderName("old")] = &fstest.MapFile{Data: []byte("old")}
	return gateway.New(gateway.Options{Pages: files, Version: "1", Sites: sites})
}

func bankAndOthers() *websites {
	return &websites{off: "closed", origins: map[string][]string{
		"bank": {"https://bank.example", "https://www.bank.example"}, "nowhere": {}, "closed": {"https://closed.example"},
	}}
}

// A customer's page pins a loader by its hash, so every released one stays
// where it was [X52].
func TestFrame_Loaders(t *testing.T) {
	h := framesOf(bankAndOthers())
	const immutable = "public, max-age=31536000, immutable"
	for path, want := range map[string][2]string{
		"/l/v1.js":                    {"public, max-age=300", aLoader},
		"/l/" + loaderName(aLoader):   {immutable, aLoader},
		"/l/" + loaderName("old"):     {immutable, "old"},
		"/l/" + loaderName("another"): {"", ""},
		"/l/":                         {"", ""},
	} {
		response := ask(t, h, nil, "GET", path)
		if want[1] == "" {
			same(t, path, response.StatusCode, 404)
			continue
		}
		same(t, path, body(t, response), want[1])
		same(t, path+": Cache-Control", response.Header.Get("Cache-Control"), want[0])
		same(t, path+": Access-Control-Allow-Origin", response.Header.Get("Access-Control-Allow-Origin"), "*")
		same(t, path+": Cross-Origin-Resource-Policy", response.Header.Get("Cross-Origin-Resource-Policy"), "cross-origin")
	}
	loader, err := site.LoaderOf(fstest.MapFS{"loader/v1.js": {Data: []byte(aLoader)}})
	if err != nil || loader.File != loaderName(aLoader) || !strings.HasPrefix(loader.Integrity, "sha384-") || len(loader.Integrity) != 71 {
		t.Errorf("the loader is %v %v", loader, err)
	}
}

// The frame names the origins of its site, and no other page may show it [X52].
func TestFrame_FrameAncestors(t *testing.T) {
	sites := bankAndOthers()
	h := framesOf(sites)
	policy := func(path, referer string) string {
		response := ask(t, h, func(r *http.Request) { r.Header.Set("Referer", referer) }, "GET", path)
		same(t, path, response.StatusCode, 200)
		return response.Header.Get("Content-Security-Policy")
	}
	for _, referer := range []string{"", "https://www.bank.example/", "https://bank.example.evil.example/", "https://evil.example/"} {
		if got := policy("/f/bank", referer); !strings.Contains(got, "frame-ancestors https://bank.example https://www.bank.example;") || !strings.Contains(got, "'strict-dynamic'") {
			t.Errorf("the policy of the frame is %q", got)
		}
	}
	same(t, "where it was seen", strings.Join(sites.saw, ", "), "bank https://www.bank.example")
	for _, path := range []string{"/c/bank", "/c/nowhere", "/c/"} {
		if got := policy(path, ""); !strings.Contains(got, "frame-ancestors 'none';") {
			t.Errorf("the policy of %s is %q", path, got)
		}
	}
	same(t, "a file of the frame", ask(t, h, nil, "GET", "/f/assets/app-1a2b.js").StatusCode, 200)
}

// A site that does not exist, one that is switched off and one on no page look alike.
func TestFrame_NobodyHere(t *testing.T) {
	h := framesOf(bankAndOthers())
	look := func(h http.Handler, path string) string {
		response := ask(t, h, nil, "GET", path)
		content, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		var headers []string
		for name, values := range response.Header {
			headers = append(headers, name+": "+strings.Join(values, ","))
		}
		slices.Sort(headers)
		return response.Status + "\n" + strings.Join(headers, "\n") + "\n" + string(content)
	}
	unknown := look(h, "/f/unknown")
	if !strings.Contains(unknown, "frame-ancestors 'none'") || !strings.HasPrefix(unknown, "404") || !strings.Contains(unknown, "no hay ningún chat") {
		t.Errorf("the answer is %s", unknown)
	}
	for _, path := range []string{"/f/closed", "/f/nowhere", "/f/", "/f/BANK", "/f/bank%20", "/c/unknown", "/c/closed", "/c/assets"} {
		same(t, path, look(h, path), unknown)
	}
	same(t, "without any site", look(gateway.New(gateway.Options{Pages: pages, Version: "1"}), "/f/bank"), unknown)
}

// Whose chat this is can be read by anybody [S92].
func TestFrame_Official(t *testing.T) {
	response := ask(t, framesOf(bankAndOthers()), nil, "GET", "/.well-known/aldaba")
	same(t, "Access-Control-Allow-Origin", response.Header.Get("Access-Control-Allow-Origin"), "*")
	same(t, "Content-Type", response.Header.Get("Content-Type"), "application/json")
	got := body(t, response)
	for _, part := range []string{
		`"chat":"http://chat.aldaba.localhost:8080"`, `"console":"http://console.aldaba.localhost:8080"`,
		`{"name":"bank","origins":["https://bank.example","https://www.bank.example"]}`, `"loader":"sha384-`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s leaves %s out", got, part)
		}
	}
}

// Only the demonstration has other hosts, and only those that were given.
func TestFrame_OtherHosts(t *testing.T) {
	bank := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("bank")) })
	for _, c := range []struct {
		demo bool
		host string
		want string
	}{
		{true, "bank.aldaba.localhost:8080", "bank"},
		{true, "BANK.aldaba.localhost:8080", "bank"},
		{false, "bank.aldaba.localhost:8080", "421"},
		{true, "bank.evil.example:8080", "421"},
	} {
		h := gateway.New(gateway.Options{Pages: pages, Version: "1", Hosts: gateway.Hosts{
			Demo: c.demo, Others: map[string]http.Handler{"bank": bank},
		}})
		response := ask(t, h, func(r *http.Request) { r.Host = c.host }, "GET", "/")
		if got := response.Status + body(t, response); !strings.Contains(got, c.want) {
			t.Errorf("%v: %s", c, got)
		}
	}
}
