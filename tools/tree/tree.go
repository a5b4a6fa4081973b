// Package tree finds the project's own files and hashes them. Every tool and
// the house rules look at the same list, so that what one of them skips
// (built files, dependencies, run-time data) is skipped by all.
package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// foreign names what holds nothing written by the project: history, built
// files, what a run leaves behind. So does every folder named node_modules.
var foreign = []string{".git", "bin", "data", "web/dist", "web/.tsout", "web/.stamp"}

// Root is the folder of go.mod, looked for from the working directory upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the project's folder: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod in this folder or above: run this inside the project")
		}
		dir = parent
	}
}

// Files lists the project's own files under root: slash-separated, sorted,
// relative to root.
func Files(root string) ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "node_modules" || slices.Contains(foreign, name):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.Type().IsRegular():
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the project's files: %w", err)
	}
	slices.Sort(files)
	return files, nil
}

// Match keeps the files that one of the patterns names. A pattern is a
// path.Match pattern, or a folder followed by /** for everything below it.
func Match(files []string, patterns ...string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(file string) bool {
		return !slices.ContainsFunc(patterns, func(pattern string) bool {
			if folder, below := strings.CutSuffix(pattern, "/**"); below {
				return strings.HasPrefix(file, folder+"/")
			}
			ok, err := path.Match(pattern, file)
			return err == nil && ok
		})
	})
}

// Hash is the SHA-256 of the files' names and contents. Line ends count as
// they are: .gitattributes makes them the same on every machine.
func Hash(root string, files []string) (string, error) {
	sum := sha256.New()
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return "", fmt.Errorf("hash %s: %w", file, err)
		}
		fmt.Fprintf(sum, "%s\x00%d\x00", file, len(content))
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
