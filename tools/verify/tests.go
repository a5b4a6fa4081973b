package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// goTest runs Go tests and counts them one by one.
func (p project) goTest(label string, args ...string) step {
	return step{label, func(ctx context.Context, out *bytes.Buffer) result {
		var events bytes.Buffer
		err := p.command(ctx, ".", &events, "go", append([]string{"test", "-json"}, args...)...)
		res := readGoTest(&events, out)
		if err != nil && res.failed == 0 {
			res.failed = 1 // it stopped before a test could fail
		}
		return res
	}}
}

// readGoTest turns the events of `go test -json` into counts, and writes what
// failing tests said, and the notes of the others, to out.
func readGoTest(events, out *bytes.Buffer) result {
	type event struct{ Action, Package, ImportPath, Test, Output string }
	var res result
	said := map[string]*strings.Builder{}
	failedIn := map[string]bool{} // packages in which a test failed
	for line := range strings.Lines(events.String()) {
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			out.WriteString(line) // not of go test: the compiler, the linker, the shell
			continue
		}
		key := e.Package + " " + e.Test
		if said[key] == nil {
			said[key] = &strings.Builder{}
		}
		switch {
		case e.Action == "build-output":
			out.WriteString(e.Output)
		case e.Action == "output":
			said[key].WriteString(e.Output)
			if notes.MatchString(strings.TrimRight(e.Output, "\n")) {
				out.WriteString(e.Output)
			}
		case e.Action == "pass" && e.Test != "":
			res.passed++
		case e.Action == "skip" && e.Test != "":
			fmt.Fprintf(out, "note: skipped %s %s: %s\n", path.Base(e.Package), e.Test, reason(said[key].String()))
		case e.Action == "fail" && (e.Test != "" || !failedIn[e.Package]):
			res.failed++
			failedIn[e.Package] = true
			out.WriteString(said[key].String())
		}
	}
	return res
}

// reason is the sentence that a skipped test logged.
func reason(said string) string {
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "===") && !strings.HasPrefix(strings.TrimSpace(line), "---") {
			return strings.TrimSpace(line)
		}
	}
	return "no reason given"
}

// vitest runs tests of web/ and counts them one by one.
func (p project) vitest(label string, args ...string) step {
	return step{label, func(ctx context.Context, out *bytes.Buffer) result {
		dir, err := os.MkdirTemp("", "aldaba-vitest-")
		if err != nil {
			fmt.Fprintln(out, err)
			return verdict(err)
		}
		defer os.RemoveAll(dir)
		file := filepath.Join(dir, "report.json")
		args := append([]string{"vitest", "run", "--reporter=default", "--reporter=json", "--outputFile=" + file}, args...)
		err = p.command(ctx, "web", out, "npx", append([]string{"--no-install"}, args...)...)
		res := readVitest(file)
		if err != nil && res.failed == 0 {
			res.failed = 1
		}
		return res
	}}
}

func readVitest(file string) result {
	var counts struct {
		NumPassedTests int
		NumFailedTests int
	}
	content, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(content, &counts) != nil {
		return result{failed: 1}
	}
	return result{passed: counts.NumPassedTests, failed: counts.NumFailedTests}
}

// fuzzSteps finds every fuzzer in the sources: one that is written is run.
func (p project) fuzzSteps() ([]step, error) {
	var steps []step
	for _, file := range p.files {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), p.path(file), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("look for fuzzers: %w", err)
		}
		for _, decl := range syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Fuzz") {
				continue
			}
			steps = append(steps, p.fuzzStep(fn.Name.Name, "./"+path.Dir(file)))
		}
	}
	return steps, nil
}

// fuzzStep runs one fuzzer, and once more when it failed for its own deadline:
// up to Go 1.26 the end of -fuzztime can come out as an error of the fuzzer
// (golang/go#75804). A finding is never taken for that.
func (p project) fuzzStep(name, folder string) step {
	return step{name + " in " + folder, func(ctx context.Context, out *bytes.Buffer) result {
		args := []string{"test", "-run=^$", "-fuzz=^" + name + "$", "-fuzztime=" + p.lane.fuzzTime.String(), "-parallel=2", folder}
		err := p.command(ctx, ".", out, "go", args...)
		if err != nil && deadlineOnly(out.String()) {
			fmt.Fprintln(out, "note: the end of the time came out as a failure of the fuzzer: run once more")
			err = p.command(ctx, ".", out, "go", args...)
		}
		return verdict(err)
	}}
}

// deadlineOnly reports whether a fuzzer's output has its deadline as the only
// complaint: what is between the line of the failure and the end.
func deadlineOnly(out string) bool {
	_, complaint, failed := strings.Cut(out, "--- FAIL: ")
	_, complaint, _ = strings.Cut(complaint, "\n")
	reason, _, _ := strings.Cut(complaint, "\nFAIL")
	return failed && strings.TrimSpace(reason) == "context deadline exceeded"
}
