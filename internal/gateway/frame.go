package gateway

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// Sites is what the way to the chat asks about the organisation's websites.
type Sites interface {
	// Origins gives the origins whose pages may show a site's chat; live is false
	// for a site that does not exist or is switched off.
	Origins(site string) (origins []string, live bool)
	// Official gives the live sites, for whoever checks that a website is the organisation's.
	Official() []OfficialSite
	// Saw keeps that a site's chat was asked for on a page of one of its origins.
	Saw(ctx context.Context, site, origin string) error
}

// OfficialSite is one website as anybody may know it.
type OfficialSite struct {
	Name    string   `json:"name"`
	Origins []string `json:"origins"`
}

const (
	// newestLoader changes with the server; every other name is a hash.
	newestLoader = "v1.js"
	// noSite is one answer for a site that does not exist, one that is switched
	// off and one that stands on no page, so that they cannot be told apart.
	noSite = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Aldaba</title>
<p>There is no chat at this address. Go back to the website that brought you here.</p>
<p lang="es">En esta dirección no hay ningún chat. Vuelve al sitio web que te ha traído aquí.</p>
</html>
`
)

// serveVisitors answers on the chat's host: the loader, the frame, the same chat
// as a page of its own, and whose chat this is.
func (g *Gateway) serveVisitors(w http.ResponseWriter, r *http.Request) {
	first, name, below := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case !below:
		redirect(w, r.URL.Path, "/c/")
	case first == "l":
		// A customer's page asks with crossorigin, for the browser compares the hash.
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		g.servePage(w, r, "loader/", name)
	case (first == "f" || first == "c") && strings.ContainsAny(name, "./"): // no site's name has them
		g.servePage(w, r, "widget/", name)
	case first == "f":
		g.serveFrame(w, r, name)
	case first == "c":
		g.serveOwnPage(w, r, name)
	case r.URL.Path == "/.well-known/aldaba":
		g.serveOfficial(w, r)
	default:
		notFound.write(w)
	}
}

// serveFrame answers with the chat for a page of the site. The browser shows it
// on pages of the site's origins only: an Origin or Referer could not decide
// that, for what the frame asks later comes from the frame's own origin.
func (g *Gateway) serveFrame(w http.ResponseWriter, r *http.Request, site string) {
	origins, live := g.origins(site)
	if !live || len(origins) == 0 {
		nobodyHere(w)
		return
	}
	if from, err := url.Parse(r.Referer()); err == nil && slices.Contains(origins, from.Scheme+"://"+from.Host) {
		if err := g.sites.Saw(r.Context(), site, from.Scheme+"://"+from.Host); err != nil {
			g.log.Warn("it could not be kept that a site was seen", "site", site, "error", err)
		}
	}
	// A page that isolates itself frames only what allows it.
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	g.serveFramed(w, r, "widget/", "index.html", strings.Join(origins, " "))
}

// serveOwnPage answers with the same chat as a page that nobody can frame; no
// name is the first site's.
func (g *Gateway) serveOwnPage(w http.ResponseWriter, r *http.Request, site string) {
	if _, live := g.origins(site); site != "" && !live {
		nobodyHere(w)
		return
	}
	g.servePage(w, r, "widget/", "index.html")
}

func (g *Gateway) origins(site string) ([]string, bool) {
	if g.sites == nil {
		return nil, false
	}
	return g.sites.Origins(site)
}

func nobodyHere(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(noSite)) // a write fails when the browser has gone
}

// serveOfficial says whose chat this is, for anybody who wants to compare it
// with what a page or a message claims: the organisation's identifier, which
// its devices' certificates carry, its websites, and the loader of today.
func (g *Gateway) serveOfficial(w http.ResponseWriter, r *http.Request) {
	official := struct {
		Organisation string         `json:"organisation"`
		Chat         string         `json:"chat"`
		Console      string         `json:"console"`
		Sites        []OfficialSite `json:"sites"`
		Loader       string         `json:"loader"`
	}{Chat: g.hosts.ChatOrigin(r), Console: g.hosts.consoleOrigin(r), Sites: []OfficialSite{}, Loader: g.loader.Integrity}
	if g.api != nil {
		org, ok := g.api.organisation()
		if !ok {
			notFound.write(w)
			return
		}
		official.Organisation = org
	}
	if g.sites != nil {
		official.Sites = append(official.Sites, g.sites.Official()...)
	}
	body, err := json.Marshal(official)
	if err != nil {
		g.log.Error("whose chat this is cannot be written", "error", err)
		unreadable.write(w)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	send(w, "application/json", append(body, '\n'))
}
