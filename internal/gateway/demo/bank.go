package demo

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

// Loader is the script that puts the chat on a page.
type Loader struct {
	File      string // its name below /l/
	Integrity string // as in "sha384-…"
}

// BankOptions is what the sample bank needs.
type BankOptions struct {
	// Files holds layout.html, a folder of pages per language, and what they load.
	Files fs.FS
	// Loader is the one that the pages pin.
	Loader Loader
	// Chat gives the chat's origin, as a browser that sent this request knows it.
	Chat func(*http.Request) string
}

// customer is who signs in: user marina, password demo.
const (
	customer         = "Marina"
	user, password   = "marina", "demo"
	signedIn         = "__Host-bank" // the cookie of who has signed in
	longestForm      = 4 << 10
	privatePage      = "accounts"
	signInPage       = "sign-in"
	signOutPage      = "sign-out"
	otherLanguage    = "en"
	bankCacheControl = "no-cache"
)

// names are the pages of the menu by language, in its order.
var names = map[string][]link{
	"es": {{"", "Inicio"}, {privatePage, "Mis cuentas"}, {"cards", "Tarjetas"}, {"help", "Ayuda"}, {"contact", "Contacto"}},
	"en": {{"", "Home"}, {privatePage, "My accounts"}, {"cards", "Cards"}, {"help", "Help"}, {"contact", "Contact"}},
}

type link struct{ Path, Name string }

// view is what a page's template is filled with.
type view struct {
	Language, Page, Chat, Loader, Integrity, Customer string
	Pages                                             []link
	Refused                                           bool
}

type bank struct {
	BankOptions
	pages map[string]*template.Template // by language and path, as in "es/cards"
}

// Bank is the handler of the sample bank's host.
func Bank(o BankOptions) (http.Handler, error) {
	b := &bank{BankOptions: o, pages: map[string]*template.Template{}}
	layout, err := template.ParseFS(o.Files, "layout.html")
	if err != nil {
		return nil, fmt.Errorf("the sample bank's layout: %w", err)
	}
	for language, pages := range names {
		for _, page := range append([]link{{Path: signInPage}}, pages...) {
			name := language + "/" + cmp.Or(page.Path, "home") + ".html"
			one, err := layout.Clone()
			if err == nil {
				_, err = one.ParseFS(o.Files, name)
			}
			if err != nil {
				return nil, fmt.Errorf("the sample bank's page %s: %w", name, err)
			}
			b.pages[language+"/"+page.Path] = one
		}
	}
	return b, nil
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", b.policy(r))
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	path := strings.TrimPrefix(r.URL.Path, "/")
	language, page, ok := strings.Cut(path, "/")
	switch {
	case path == "":
		see(w, "/"+preferred(r)+"/")
	case path == "bank.css" || path == "icon.svg":
		asset(w, b.Files, path)
	case !ok || names[language] == nil:
		nothing(w)
	case r.Method == http.MethodPost:
		b.post(w, r, language, page)
	case page == privatePage && !known(r):
		see(w, "/"+language+"/"+signInPage)
	default:
		b.show(w, r, view{Language: language, Page: page})
	}
}

// policy is that of a careful customer: its own styles and pictures, the one
// script whose hash it knows, and the chat's frame.
func (b *bank) policy(r *http.Request) string {
	return "default-src 'none'; script-src '" + b.Loader.Integrity + "'; style-src 'self'; img-src 'self'; frame-src " + b.Chat(r) +
		"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

func (b *bank) show(w http.ResponseWriter, r *http.Request, v view) {
	page := b.pages[v.Language+"/"+v.Page]
	if page == nil {
		nothing(w)
		return
	}
	v.Pages, v.Chat, v.Loader, v.Integrity = names[v.Language], b.Chat(r), b.Loader.File, b.Loader.Integrity
	if known(r) {
		v.Customer = customer
	}
	render(w, page, "layout.html", v)
}

// post signs the sample customer in and out.
func (b *bank) post(w http.ResponseWriter, r *http.Request, language, page string) {
	if r.Header.Get("Origin") != "http://"+r.Host {
		http.Error(w, "This form belongs to the sample bank's own pages.", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	switch {
	case page == signOutPage:
		remember(w, "", -1)
		see(w, "/"+language+"/")
	case page != signInPage:
		nothing(w)
	case r.PostFormValue("user") != user || r.PostFormValue("password") != password:
		b.show(w, r, view{Language: language, Page: page, Refused: true})
	default:
		remember(w, user, 0)
		see(w, "/"+language+"/"+privatePage)
	}
}

// remember sets the bank's cookie for this visit, or takes it away with an age below zero.
func remember(w http.ResponseWriter, who string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: signedIn, Value: who, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func known(r *http.Request) bool {
	cookie, err := r.Cookie(signedIn)
	return err == nil && cookie.Value == user
}

// preferred is the first language of the browser, if it is one of ours.
func preferred(r *http.Request) string {
	first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	if tag, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(first)), "-"); tag == "es" {
		return tag
	}
	return otherLanguage
}

func see(w http.ResponseWriter, address string) {
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusSeeOther)
}

func nothing(w http.ResponseWriter) {
	http.Error(w, "This is a demonstration, and it has no such page.", http.StatusNotFound)
}

// asset answers with one of the few files that pages here load.
func asset(w http.ResponseWriter, files fs.FS, name string) {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		nothing(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	if strings.HasSuffix(name, ".svg") {
		h.Set("Content-Type", "image/svg+xml")
	}
	h.Set("Cache-Control", bankCacheControl)
	// A write fails when the browser has gone.
	_, _ = w.Write(content) //nolint:gosec // one of two embedded files, by a name of ours
}

// render fills a page before anything of it is sent.
func render(w http.ResponseWriter, page *template.Template, name string, v any) {
	var body bytes.Buffer
	if err := page.ExecuteTemplate(&body, name, v); err != nil {
		http.Error(w, "This page of the demonstration is broken.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body.Bytes()) // a write fails when the browser has gone
}
