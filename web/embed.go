// Package web carries the built browser applications inside the binary.
//
// `make run` and every release fill dist/ before they build; a checkout that
// has not built the web part still compiles, because dist/.gitkeep is
// committed, and Built tells the server so that it can say what is missing
// instead of answering with empty pages.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

//go:embed demo
var demo embed.FS

// Dist returns the built files: widget/ and console/, each with index.html
// and assets/, every compressible file with its .br and .gz twin, and
// MANIFEST with the path, size and SHA-384 of each.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: dist is embedded and its name is valid: " + err.Error())
	}
	return sub
}

// Built reports whether the browser applications were built before the binary.
func Built() bool {
	_, err := fs.Stat(dist, "dist/MANIFEST")
	return err == nil
}

// Demo returns the sources of the sample bank and of the page of sample mails:
// templates, which the demonstration fills, and what they load.
func Demo() fs.FS {
	sub, err := fs.Sub(demo, "demo")
	if err != nil {
		panic("web: demo is embedded and its name is valid: " + err.Error())
	}
	return sub
}
