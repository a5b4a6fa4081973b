package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// lintTool is a program of exactly one version, built once per machine into a
// cache outside the tree. It is no dependency of the module: its hundreds of
// modules must not weigh on ours.
type lintTool struct{ name, path, version string }

var (
	golangciLint = lintTool{"golangci-lint", "github.com/golangci/golangci-lint/v2/cmd/golangci-lint", "v2.15.0"}
	govulncheck  = lintTool{"govulncheck", "golang.org/x/vuln/cmd/govulncheck", "v1.9.0"}
)

// cache is where built tools and unpacked databases live.
func cache(elem ...string) (string, error) {
	base, err := os.UserCacheDir() // honours XDG_CACHE_HOME
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	return filepath.Join(append([]string{base, "aldaba"}, elem...)...), nil
}

// program is the tool's file, built when it is not there.
func (p project) program(ctx context.Context, out *bytes.Buffer, tool lintTool) (string, error) {
	folder, err := cache("tools", tool.name+"-"+tool.version)
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, tool.name)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	fmt.Fprintf(out, "note: building %s %s, once per machine\n", tool.name, tool.version)
	err = p.command(ctx, ".", out, "env", "GOFLAGS=", "GOBIN="+folder, "go", "install", "-trimpath", tool.path+"@"+tool.version)
	return program, err
}

func (p project) installTools(ctx context.Context, out *bytes.Buffer) result {
	for _, tool := range []lintTool{govulncheck, golangciLint} {
		if _, err := p.program(ctx, out, tool); err != nil {
			return verdict(err)
		}
	}
	return result{passed: 1}
}

func (p project) golangci(ctx context.Context, out *bytes.Buffer) result {
	program, err := p.program(ctx, out, golangciLint)
	if err != nil {
		return verdict(err)
	}
	return verdict(p.command(ctx, ".", out, program, "run", "./..."))
}

// vulnerabilities compares the calls of the module with the offline database that
// may stand beside the project's folder; the network is never asked.
func (p project) vulnerabilities(ctx context.Context, out *bytes.Buffer) result {
	const archive = "../shared/govulndb.tgz"
	database, err := p.unpack(ctx, out, archive)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(out, "note: no vulnerability database at %s: known vulnerabilities were NOT looked for\n", archive)
		return result{passed: 1}
	}
	if err != nil {
		fmt.Fprintln(out, err)
		return verdict(err)
	}
	program, err := p.program(ctx, out, govulncheck)
	if err != nil {
		return verdict(err)
	}
	return verdict(p.command(ctx, ".", out, program, "-db", "file://"+database, "./..."))
}

// unpack puts the database into the cache, once for each content of the archive.
func (p project) unpack(ctx context.Context, out *bytes.Buffer, archive string) (string, error) {
	content, err := os.ReadFile(p.path(archive))
	if err != nil {
		return "", err
	}
	folder, err := cache("govulndb", fmt.Sprintf("%x", sha256.Sum256(content)))
	if err != nil {
		return "", err
	}
	database := filepath.Join(folder, "govdb")
	if _, err := os.Stat(database); err == nil {
		return database, nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o750); err != nil {
		return "", err
	}
	// Unpacked beside and moved, so that a folder of that name is complete.
	fresh, err := os.MkdirTemp(filepath.Dir(folder), "unpacking-")
	if err != nil {
		return "", err
	}
	if err := p.command(ctx, ".", out, "tar", "-xzf", archive, "-C", fresh); err != nil {
		return "", fmt.Errorf("unpack %s: %w", archive, err)
	}
	return database, os.Rename(fresh, folder)
}
