// Command build makes bin/aldaba with the browser applications inside. It
// needs Go, Node and npm and nothing else, says what it does, and leaves out
// what is up to date: web/.stamp remembers the hash of the lock and of the
// sources that web/dist was built from.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aldaba-chat/aldaba/tools/tree"
)

func main() {
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func build() error {
	root, err := tree.Root()
	if err != nil {
		return err
	}
	if err := buildWeb(root); err != nil {
		return err
	}
	fmt.Println("building bin/aldaba")
	return run(root, "go", "build", "-trimpath", "-buildvcs=false", "-o", "bin/", "./cmd/aldaba")
}

// buildWeb installs packages and builds web/dist, each only when needed.
func buildWeb(root string) error {
	files, err := tree.Files(root)
	if err != nil {
		return err
	}
	lock, err := tree.Hash(root, tree.Match(files, "web/package-lock.json"))
	if err != nil {
		return err
	}
	sources, err := tree.Hash(root, tree.Match(files, "web/**"))
	if err != nil {
		return err
	}
	web := filepath.Join(root, "web")
	stamp := []byte("lock " + lock + "\nsources " + sources + "\n")
	last, err := os.ReadFile(filepath.Join(web, ".stamp"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read what was built last: %w", err)
	}

	if !exists(web, "node_modules") || !bytes.Contains(last, []byte(lock)) {
		if err := checkNode(); err != nil {
			return err
		}
		fmt.Println("installing npm packages from the committed lock (about 20 s the first time)")
		if err := run(web, "npm", "ci", "--ignore-scripts"); err != nil {
			return err
		}
		// Remembered at once, so that sources that do not build yet do not
		// install the packages again and again.
		if err := os.WriteFile(filepath.Join(web, ".stamp"), []byte("lock "+lock+"\n"), 0o600); err != nil {
			return fmt.Errorf("remember what was installed: %w", err)
		}
	}
	if exists(web, "dist", "MANIFEST") && bytes.Equal(last, stamp) {
		fmt.Println("browser applications are up to date")
		return nil
	}
	fmt.Println("building the browser applications")
	if err := run(web, "npm", "run", "--silent", "build"); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(web, ".stamp"), stamp, 0o600)
}

// checkNode tells a person with no or an old Node what to install.
func checkNode() error {
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		return errors.New("node is not installed: Aldaba's browser applications need Node 20.19 or newer, with npm")
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(out), "v%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("node --version says %q: %w", strings.TrimSpace(string(out)), err)
	}
	if major < 20 || major == 20 && minor < 19 {
		return fmt.Errorf("node %d.%d is too old: the browser applications need 20.19 or newer", major, minor)
	}
	return nil
}

func exists(elem ...string) bool {
	_, err := os.Stat(filepath.Join(elem...))
	return err == nil
}

// run starts a command in a folder and shows what it says. The binary has no
// C in it, so that it runs on any Linux and is the same bytes everywhere.
func run(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
