package aldaba_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aldaba-chat/aldaba/tools/tree"
)

// The house rules about Go sources. They read the files themselves: a test
// that asks `go list` is answered from the test cache after the code changed.
// arch_samples_test.go shows each rule a sample that breaks it.

const module = "github.com/aldaba-chat/aldaba"

// floors is the table of ARCHITECTURE.md: a package imports only packages of
// lower floors, so packages of one floor do not know each other. A folder
// below a package shares its floor and may import it.
var floors = map[string]int{
	"web":                   0,
	"internal/chat":         0,
	"internal/seal":         0,
	"internal/config":       0,
	"internal/wire":         1,
	"internal/policy":       1,
	"internal/audit":        1,
	"internal/guard":        1,
	"internal/fanout":       1,
	"internal/keyring":      1,
	"internal/authority":    2,
	"internal/assist":       2,
	"internal/identity":     2,
	"internal/directory":    2,
	"internal/conversation": 2,
	"internal/site":         2,
	"internal/presence":     2,
	"internal/attachment":   2,
	"internal/privacy":      2,
	"internal/incident":     2,
	"internal/training":     2,
	"internal/gateway":      3,
	"internal/store":        3,
	"internal/server":       4,
	"internal/aldabatest":   5,
	"cmd/aldaba":            6,
	"bench":                 6,
	"tools":                 7,
}

// onlyFor names packages that few may import, whatever their floor.
var onlyFor = map[string][]string{
	// Packages take options of their own; one place turns configuration into them.
	"internal/config": {"internal/server", "cmd/aldaba"},
	// The browser applications are served by the composition root's choice.
	"web": {"internal/server", "cmd/aldaba"},
}

// forbidden names imports with the reason why the product does without.
var forbidden = map[string]string{
	"encoding/json": "it accepts duplicate keys, other letter case and unknown fields; decode with github.com/go-json-experiment/json and reject unknown members",
	"os/exec":       "the server starts no programs: whoever finds a way to its arguments would own the machine",
	"math/rand":     "guessable; ids, keys and tokens come from crypto/rand",
	"math/rand/v2":  "guessable; ids, keys and tokens come from crypto/rand",
	"unsafe":        "memory safety is what the language is here for",
}

// allowed lists the places where a forbidden import is right, each with its reason.
var allowed = map[string]map[string]string{}

// source is one Go file.
type source struct {
	file   string // slash-separated, relative to the project's folder
	syntax *ast.File
	set    *token.FileSet
}

func (s source) isTest() bool { return strings.HasSuffix(s.file, "_test.go") }

// home is the row of floors that the file belongs to, "" when there is none.
func (s source) home() string { return home(path.Dir(s.file)) }

func home(folder string) string {
	for ; folder != "."; folder = path.Dir(folder) {
		if _, ok := floors[folder]; ok {
			return folder
		}
	}
	return ""
}

func (s source) imports() []string {
	var paths []string
	for _, spec := range s.syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic("arch: the parser accepted the import " + spec.Path.Value)
		}
		paths = append(paths, imported)
	}
	return paths
}

// goRules are the rules that look at one file.
var goRules = map[string]func(source) []string{
	"floors":    checkFloors,
	"seal":      checkSeal,
	"forbidden": checkForbidden,
	"sql":       checkSQL,
}

func TestHouseRules_GoSources(t *testing.T) {
	commented := map[string]bool{} // folders, by whether a file says what the package is
	for _, s := range goSources(t) {
		for rule, check := range goRules {
			for _, complaint := range check(s) {
				t.Errorf("%s: %s: %s", rule, s.file, complaint)
			}
		}
		if !s.isTest() {
			folder := path.Dir(s.file)
			commented[folder] = commented[folder] || saysWhatItIs(s)
		}
	}
	for folder, ok := range commented {
		if !ok {
			t.Errorf("%s: no package comment: one file must begin with `// Package …` or `// Command …`", folder)
		}
	}
}

func goSources(t *testing.T) []source {
	t.Helper()
	files, err := tree.Files(".")
	if err != nil {
		t.Fatal(err)
	}
	var sources []source
	for _, file := range files {
		if path.Ext(file) != ".go" {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, parse(t, file, string(content)))
	}
	return sources
}

func parse(t *testing.T, file, content string) source {
	t.Helper()
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, file, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{file: file, syntax: syntax, set: set}
}

// checkFloors: imports point down. Tests may look anywhere: they put real
// things together.
func checkFloors(s source) []string {
	if path.Dir(s.file) == "." {
		return nil // only these rules stand in the project's own folder
	}
	from := s.home()
	if from == "" {
		return []string{"no floor is known for this package: give it one in the table floors of arch_test.go and in ARCHITECTURE.md"}
	}
	if s.isTest() {
		return nil
	}
	var complaints []string
	for _, imported := range s.imports() {
		folder, ours := strings.CutPrefix(imported, module+"/")
		if !ours {
			continue
		}
		to := home(folder)
		switch {
		case to == from:
		case to == "":
			complaints = append(complaints, fmt.Sprintf("imports %s, which has no floor", folder))
		case floors[to] >= floors[from]:
			complaints = append(complaints, fmt.Sprintf("%s (floor %d) imports %s (floor %d): imports point to lower floors only; meet through types of internal/chat, or declare a small interface and let internal/server satisfy it", from, floors[from], to, floors[to]))
		case onlyFor[to] != nil && !slices.Contains(onlyFor[to], from):
			complaints = append(complaints, fmt.Sprintf("imports %s, which only %s may: take an Options value instead", to, strings.Join(onlyFor[to], " and ")))
		}
	}
	return complaints
}

// checkSeal: what a stranger must be able to review rests on Go alone.
func checkSeal(s source) []string {
	if s.home() != "internal/seal" || s.isTest() {
		return nil
	}
	var complaints []string
	for _, imported := range s.imports() {
		first, _, _ := strings.Cut(imported, "/")
		if strings.Contains(first, ".") && !strings.HasPrefix(imported, module+"/internal/seal") {
			complaints = append(complaints, "imports "+imported+": internal/seal uses the standard library only")
		}
	}
	return complaints
}

// checkForbidden: see the table. Tests, tools and the load generator run on a
// developer's machine and may use what they need, but for unsafe.
func checkForbidden(s source) []string {
	var complaints []string
	free := s.isTest() || s.home() == "tools" || s.home() == "bench" || s.home() == "internal/aldabatest"
	for _, imported := range s.imports() {
		reason := forbidden[imported]
		if reason == "" || free && imported != "unsafe" || allowed[imported][s.file] != "" {
			continue
		}
		complaints = append(complaints, imported+" is forbidden here: "+reason+"; a true exception goes into the table allowed of arch_test.go, with its reason")
	}
	return complaints
}

// saysWhatItIs reports whether the file carries the package comment.
func saysWhatItIs(s source) bool {
	text := s.syntax.Doc.Text()
	return strings.HasPrefix(text, "Package "+s.syntax.Name.Name+" ") || s.syntax.Name.Name == "main" && strings.HasPrefix(text, "Command ")
}
