package site

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"html"
	"io/fs"
)

// Loader is a released loader: the name of its file, as in "<hash>.js", and the
// hash by which a browser knows it again, as in "sha384-…".
type Loader struct {
	File      string
	Integrity string
}

// LoaderOf reads today's loader among the built pages. The name under which it
// stays for ever is its hash.
func LoaderOf(pages fs.FS) (Loader, error) {
	content, err := fs.ReadFile(pages, "loader/v1.js")
	if err != nil {
		return Loader{}, fmt.Errorf("the loader was not built: %w", err)
	}
	sum := sha512.Sum384(content)
	return Loader{
		File:      base64.RawURLEncoding.EncodeToString(sum[:]) + ".js",
		Integrity: "sha384-" + base64.StdEncoding.EncodeToString(sum[:]),
	}, nil
}

// Install is what an administrator copies to put the chat on a site.
type Install struct {
	Snippet string
	// CSP is what a page with a Content-Security-Policy adds to it; CSPByOrigin
	// is for browsers that match hashes of inline scripts only.
	CSP         string
	CSPByOrigin string
}

// Installation is how to put a site's chat on its pages. A site of one language
// names it; of several, the visitor's browser chooses.
func (s *Site) Installation(chatOrigin string, loader Loader) Install {
	locale := ""
	if len(s.Languages) == 1 {
		locale = ` data-locale="` + html.EscapeString(s.Languages[0]) + `"`
	}
	return Install{
		Snippet: `<script src="` + html.EscapeString(chatOrigin+"/l/"+loader.File) +
			`" integrity="` + html.EscapeString(loader.Integrity) +
			`" crossorigin="anonymous" async data-site="` + html.EscapeString(s.ID) + `"` + locale + `></script>`,
		CSP:         "script-src '" + loader.Integrity + "'; frame-src " + chatOrigin,
		CSPByOrigin: "script-src " + chatOrigin + "; frame-src " + chatOrigin,
	}
}
