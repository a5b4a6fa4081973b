// Command repro proves that a build is a function of the sources: it copies
// the tree to two folders of different depth, builds both with different home,
// time zone and language, and compares the SHA-256 of the binary and of every
// file of web/dist.
//
// The second build compiles into a cache of its own, kept between runs, so
// that it is no copy of what the first compiled. With ALDABA_SOAK=1 both start
// from nothing: empty compile caches and a separate `npm ci`.
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"

	"github.com/aldaba-chat/aldaba/tools/tree"
)

// place is one of the two builds.
type place struct {
	dir   string   // the copy of the tree
	env   []string // what differs from the other
	files map[string]string
}

func main() {
	if err := repro(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func repro() error {
	root, err := tree.Root()
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "aldaba-repro-")
	if err != nil {
		return fmt.Errorf("make a folder for the copies: %w", err)
	}
	defer os.RemoveAll(temp)
	places, err := twoPlaces(temp)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make([]error, len(places))
	for i, p := range places {
		all.Go(func() { errs[i] = p.build(root) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return compare(places[0].files, places[1].files)
}

func twoPlaces(temp string) ([]*place, error) {
	first := &place{
		dir: filepath.Join(temp, "a"),
		env: []string{"HOME=" + filepath.Join(temp, "home-a"), "TZ=Pacific/Kiritimati", "LANG=es_ES.UTF-8"},
	}
	second := &place{
		dir: filepath.Join(temp, "another", "folder", "deeper", "down"),
		env: []string{"HOME=" + filepath.Join(temp, "home-b"), "TZ=America/St_Johns", "LANG=C"},
	}
	// Modules and npm packages come out of the machine's own caches: what they
	// hold is pinned by go.sum and by the lock, and it saves the downloads.
	modules, err := output("go", "env", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	npm, err := output("npm", "config", "get", "cache")
	if err != nil {
		return nil, err
	}
	compiled := map[*place]string{}
	if soak() {
		compiled[first], compiled[second] = filepath.Join(temp, "cache-a"), filepath.Join(temp, "cache-b")
	} else {
		if compiled[first], err = output("go", "env", "GOCACHE"); err != nil {
			return nil, err
		}
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find the cache folder: %w", err)
		}
		compiled[second] = filepath.Join(base, "aldaba", "repro")
	}
	for p, folder := range compiled {
		p.env = append(p.env, "GOMODCACHE="+modules, "GOCACHE="+folder, "npm_config_cache="+npm)
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return nil, fmt.Errorf("make a compile cache: %w", err)
		}
	}
	return []*place{first, second}, nil
}

func soak() bool { return os.Getenv("ALDABA_SOAK") == "1" }

// build fills the place and hashes what came out.
func (p *place) build(root string) error {
	if err := copyTree(root, p.dir); err != nil {
		return err
	}
	if !soak() {
		// The packages of the tree, so that npm installs nothing; tools/build
		// reads what was installed from the stamp.
		for _, name := range []string{"web/node_modules", "web/.stamp"} {
			if err := p.command("cp", "-a", filepath.Join(root, name), filepath.Join(p.dir, "web")); err != nil {
				return err
			}
		}
	}
	if err := p.command("go", "run", "./tools/build"); err != nil {
		return err
	}
	p.files = map[string]string{}
	for _, folder := range []string{"bin", "web/dist"} {
		err := fs.WalkDir(os.DirFS(p.dir), folder, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(filepath.Join(p.dir, name))
			p.files[name] = fmt.Sprintf("%x", sha256.Sum256(content))
			return err
		})
		if err != nil {
			return fmt.Errorf("hash what was built: %w", err)
		}
	}
	return nil
}

// copyTree copies the project's own files; their dates become those of the copy.
func copyTree(root, dir string) error {
	files, err := tree.Files(root)
	if err != nil {
		return err
	}
	for _, file := range append(files, "web/dist/.gitkeep") {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return fmt.Errorf("copy the tree: %w", err)
		}
		name := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			return fmt.Errorf("copy the tree: %w", err)
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return fmt.Errorf("copy the tree: %w", err)
		}
	}
	return nil
}

func (p *place) command(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, &out, &out
	cmd.Env = append(os.Environ(), p.env...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s in %s: %w\n%s", name, p.dir, err, out.Bytes())
	}
	return nil
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", name, err)
	}
	return string(bytes.TrimSpace(out)), nil
}

// compare names every file that differs.
func compare(a, b map[string]string) error {
	names := maps.Clone(a)
	maps.Copy(names, b)
	var differ []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a[name] != b[name] {
			differ = append(differ, fmt.Sprintf("%s: %q and %q", name, a[name], b[name]))
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("%d of %d files differ between the two builds:\n%q", len(differ), len(names), differ)
	}
	fmt.Printf("note: two builds gave the same %d files; bin/aldaba is sha256:%s\n", len(names), a["bin/aldaba"])
	return nil
}
