package site

import "html"

// Loader is a released loader: the name of its file, as in "<hash>.js", and the
// hash by which a browser knows it again, as in "sha384-…".
type Loader struct {
	File      string
	Integrity string
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
