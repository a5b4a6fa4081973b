// Command spec lists every rule of protocol/SPEC.md with the tests that quote
// it, and fails when a rule that is due has none.
//
// A rule is a list item of the form
//
//   - **E9** [dup_member] text
//   - **R1** (due with grants) text
//   - **K7** (withdrawn) text
//
// and a test quotes it as [E9], or as "rule": "E9" in a vector.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aldaba-chat/aldaba/tools/tree"
)

const specification = "protocol/SPEC.md"

// rule is one numbered line of the specification.
type rule struct {
	id    string
	later string // "due with grants", "withdrawn"; empty when the rule is due
}

var (
	ruleLine = regexp.MustCompile(`^\s*[-*] \*\*([A-Z]{1,3}[0-9]+[a-z]?)\*\*(.*)$`)
	later    = regexp.MustCompile(`^(?:\s*\[[^\]]*\])*\s*\(((?:due|withdrawn)[^)]*)\)`)
	testFile = regexp.MustCompile(`(_test\.go|\.test\.tsx?|/testdata/.*\.txtar)$|^protocol/vectors/.*\.json$|^web/e2e/.*\.ts$`)
	brackets = regexp.MustCompile(`\[([A-Z]{1,3}[0-9]+[a-z]?(?:[ ,]+[A-Z]{1,3}[0-9]+[a-z]?)*)\]`)
	field    = regexp.MustCompile(`(?i)"?\brules?"?\s*[:=]\s*\[?\s*("[A-Z]{1,3}[0-9]+[a-z]?"(?:\s*,\s*"[A-Z]{1,3}[0-9]+[a-z]?")*)`)
	oneID    = regexp.MustCompile(`[A-Z]{1,3}[0-9]+[a-z]?`)
)

func main() {
	if err := report(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func report() error {
	root, err := tree.Root()
	if err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(root, specification))
	if err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	rules, err := parse(string(content))
	if err != nil {
		return err
	}
	files, err := tree.Files(root)
	if err != nil {
		return err
	}
	quotes := map[string][]string{}
	for _, file := range files {
		if !testFile.MatchString(file) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return fmt.Errorf("look for quoted rules: %w", err)
		}
		for _, id := range quoted(string(content)) {
			quotes[id] = append(quotes[id], file)
		}
	}
	var due, bare int
	for _, r := range rules {
		where := strings.Join(quotes[r.id], " ")
		switch {
		case where == "" && r.later != "":
			where = "(" + r.later + ")"
		case where == "":
			bare++
			where = "NO TEST"
		}
		if r.later == "" {
			due++
		}
		fmt.Printf("%-5s %s\n", r.id, where)
	}
	fmt.Printf("\n%d rules, %d due, %d due without a test\n", len(rules), due, bare)
	if bare > 0 {
		return fmt.Errorf("%d rules of %s are due and no test quotes them", bare, specification)
	}
	return nil
}

// parse reads the rules in their order. Numbers are never given twice.
func parse(text string) ([]rule, error) {
	var rules []rule
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		m := ruleLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		if seen[m[1]] {
			return nil, fmt.Errorf("%s has two rules named %s", specification, m[1])
		}
		seen[m[1]] = true
		r := rule{id: m[1]}
		if when := later.FindStringSubmatch(m[2]); when != nil {
			r.later = when[1]
		}
		rules = append(rules, r)
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("%s has no line of the form `- **E9** text`", specification)
	}
	return rules, nil
}

// quoted lists the rules that a test names, each once.
func quoted(text string) []string {
	ids := map[string]bool{}
	for _, re := range []*regexp.Regexp{brackets, field} {
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			for _, id := range oneID.FindAllString(m[1], -1) {
				ids[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(ids))
}
