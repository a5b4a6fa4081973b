package tree

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func write(t *testing.T, root, file, content string) {
	t.Helper()
	name := filepath.Join(root, file)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFiles_LeavesOutWhatIsNotOurs(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{
		"go.mod", "web/ui/ui.ts", "internal/bin/own.go",
		".git/HEAD", "bin/aldaba", "data/aldaba.db", "web/dist/index.html", "web/.stamp",
		"web/node_modules/x/x.js", "web/ui/node_modules/y/y.js", "web/.tsout/ui/ui.d.ts",
	} {
		write(t, root, file, "")
	}
	files, err := Files(root)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"go.mod", "internal/bin/own.go", "web/ui/ui.ts"}; !slices.Equal(files, want) {
		t.Errorf("got %v, want %v", files, want)
	}
}

func TestMatch(t *testing.T) {
	files := []string{"a.go", "x/a.go", "x/y/a.go", "xx/a.go"}
	for pattern, want := range map[string][]string{
		"x/**":   {"x/a.go", "x/y/a.go"},
		"*/a.go": {"x/a.go", "xx/a.go"},
		"a.go":   {"a.go"},
		"b.go":   nil,
	} {
		if got := Match(files, pattern); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", pattern, got, want)
		}
	}
}

func TestHash_SeesNamesAndBorders(t *testing.T) {
	seen := map[string]string{}
	for name, content := range map[string][2]string{
		"as it is":       {"ab", "c"},
		"a border moved": {"a", "bc"},
		"a byte changed": {"ab", "d"},
	} {
		root := t.TempDir()
		write(t, root, "one", content[0])
		write(t, root, "two", content[1])
		sum, err := Hash(root, []string{"one", "two"})
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[sum]; ok {
			t.Errorf("%q and %q have one hash", name, other)
		}
		seen[sum] = name
	}
}
