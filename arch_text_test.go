package aldaba_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aldaba-chat/aldaba/tools/tree"
)

// The house rules about browser sources, committed text and dependencies.

// webForbidden names what browser code does without, with the reason. Text
// becomes nodes, never HTML or code.
var webForbidden = []struct {
	pattern *regexp.Regexp
	reason  string
}{
	{regexp.MustCompile(`\b(innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|parseHTMLUnsafe|createContextualFragment|srcdoc)\b`), "makes HTML of text: create nodes and set textContent"},
	{regexp.MustCompile(`\bdocument\s*\.\s*write(ln)?\b`), "makes HTML of text: create nodes and set textContent"},
	{regexp.MustCompile(`\bdangerouslySetInnerHTML\b`), "makes HTML of text: return elements"},
	{regexp.MustCompile(`\beval\s*\(|\bnew\s+Function\b|\bset(Timeout|Interval)\s*\(\s*['"` + "`" + `]`), "makes code of text"},
	{regexp.MustCompile(`\bdocument\s*\.\s*cookie\b`), "session cookies are HttpOnly and nothing else belongs in a cookie"},
	{regexp.MustCompile(`\son[a-z]+\s*=\s*"[^"]*"|\bjavascript:`), "a handler in an attribute is code in text, and the content security policy refuses it"},
}

// longestComponent is the length at which a component is two.
const longestComponent = 300

var comment = regexp.MustCompile(`(?s)/\*.*?\*/|<!--.*?-->|(?m:(^|\s)//.*$)`)

// checkWeb looks at one browser source; tests may try what is forbidden.
func checkWeb(file, content string) []string {
	test := strings.Contains(file, ".test.") || strings.HasPrefix(file, "web/e2e/")
	if !strings.HasPrefix(file, "web/") || test || !slices.Contains([]string{".ts", ".tsx", ".html"}, path.Ext(file)) {
		return nil
	}
	var complaints []string
	code := comment.ReplaceAllString(content, "$1")
	for _, rule := range webForbidden {
		if found := rule.pattern.FindString(code); found != "" {
			complaints = append(complaints, fmt.Sprintf("%q: %s", strings.TrimSpace(found), rule.reason))
		}
	}
	if lines := strings.Count(content, "\n"); path.Ext(file) == ".tsx" && lines > longestComponent {
		complaints = append(complaints, fmt.Sprintf("%d lines: a component file has at most %d", lines, longestComponent))
	}
	return complaints
}

// elsewhere matches what only exists on the machine of whoever wrote a line:
// home and work folders, and the hosts that packages are fetched from.
var elsewhere = regexp.MustCompile(`(^|[\s"'` + "`" + `(=:])/(root|work|farm|home/[a-z]+|Users/[a-z]+|tmp/bash_jobs)(/|\b)|registry\.npmjs\.org|proxy\.golang\.org|sum\.golang\.org|deb\.debian\.org|registry\.yarnpkg\.com`)

// checkText looks at any committed text file.
func checkText(file, content string) []string {
	if strings.HasPrefix(file, "arch_") || !utf8.ValidString(content) {
		return nil
	}
	if found := elsewhere.FindString(content); found != "" {
		return []string{fmt.Sprintf("%q is a path or host of one machine", strings.TrimSpace(found))}
	}
	return nil
}

var (
	link   = regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)]*)?\)`) // a colon begins another site
	quoted = regexp.MustCompile("`((?:internal|web|cmd|protocol|tools|docs|bench)/[\\w./*-]+)`")
)

// builtFiles names what make makes and documents may name.
var builtFiles = []string{"web/dist", "web/dist/MANIFEST", "web/.stamp"}

// checkDocument: a document names only files that are there.
func checkDocument(file, content string, files []string) []string {
	if path.Ext(file) != ".md" {
		return nil
	}
	var complaints []string
	complain := func(name, target string) {
		target = strings.TrimSuffix(target, "/")
		if !slices.Contains(builtFiles, target) && len(tree.Match(files, target, target+"/**")) == 0 {
			complaints = append(complaints, name+" is not there")
		}
	}
	for _, m := range link.FindAllStringSubmatch(content, -1) {
		complain(m[1], path.Join(path.Dir(file), m[1]))
	}
	for _, m := range quoted.FindAllStringSubmatch(content, -1) {
		complain(m[1], m[1])
	}
	return complaints
}

func TestHouseRules_Text(t *testing.T) {
	files, err := tree.Files(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		for _, complaint := range slices.Concat(checkWeb(file, text), checkText(file, text), checkDocument(file, text, files)) {
			t.Errorf("%s: %s", file, complaint)
		}
	}
}

var (
	requirement = regexp.MustCompile(`(?m)^(?:require )?\s*([a-z0-9.-]+\.[a-z]+/\S+) v\S+$`) // an indirect one has a comment behind it
	listed      = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
)

// checkDependencies compares what is required with the lines of
// docs/dependencies.md, in both directions.
func checkDependencies(goMod string, packages []string, document string) []string {
	required := map[string]bool{}
	for _, m := range requirement.FindAllStringSubmatch(goMod, -1) {
		required[m[1]] = true
	}
	var complaints []string
	for _, content := range packages {
		var manifest struct {
			Dependencies, DevDependencies map[string]string
		}
		if err := json.Unmarshal([]byte(content), &manifest); err != nil {
			return []string{"package.json: " + err.Error()}
		}
		for _, all := range []map[string]string{manifest.Dependencies, manifest.DevDependencies} {
			for name, version := range all {
				if strings.HasPrefix(name, "@aldaba/") {
					continue
				}
				required[name] = true
				if strings.Trim(version, "0123456789.") != "" {
					complaints = append(complaints, fmt.Sprintf("%s %q is no exact version", name, version))
				}
			}
		}
	}
	reasons := map[string]bool{}
	for _, m := range listed.FindAllStringSubmatch(document, -1) {
		reasons[m[1]] = true
		if !required[m[1]] {
			complaints = append(complaints, m[1]+" has a line in docs/dependencies.md and nothing requires it")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(required)) {
		if !reasons[name] {
			complaints = append(complaints, name+" is required and docs/dependencies.md does not say why: every direct dependency has a reason")
		}
	}
	return complaints
}

func TestHouseRules_Dependencies(t *testing.T) {
	read := func(file string) string {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	files, err := tree.Files(".")
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for _, file := range tree.Match(files, "web/package.json", "web/*/package.json") {
		packages = append(packages, read(file))
	}
	for _, complaint := range checkDependencies(read("go.mod"), packages, read("docs/dependencies.md")) {
		t.Error(complaint)
	}
}
