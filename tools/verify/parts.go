package main

import (
	"path/filepath"
	"regexp"
	"slices"
)

// The parts, in the order in which they run.
const (
	partBuild        = "install and build"
	partLint         = "lint and checks"
	partRepro        = "reproducible builds"
	partUnit         = "unit and contract tests"
	partTorture      = "torture and simulator"
	partFuzz         = "fuzz"
	partDifferential = "differential and vectors"
	partBrowser      = "browser"
	partBench        = "benchmarks"
)

// project is what the steps work on.
type project struct {
	root  string
	files []string
	lane  lane
}

func (p project) path(elem ...string) string {
	return filepath.Join(append([]string{p.root}, elem...)...)
}

func (p project) steps(part string) ([]step, error) {
	switch part {
	case partBuild:
		return []step{
			p.commandStep("packages for the tests", ".", "tools/deps.sh"),
			p.commandStep("bin/aldaba and web/dist", ".", "go", "run", "./tools/build"),
			{"lint tools of these versions", p.installTools},
		}, nil
	case partLint:
		return []step{
			{"golangci-lint", p.golangci},
			{"govulncheck", p.vulnerabilities},
			p.commandStep("generated files", ".", "go", "run", "./tools/gencheck"),
			p.commandStep("rules of SPEC.md and their tests", ".", "go", "run", "./tools/spec"),
			p.commandStep("biome", "web", "npm", "run", "--silent", "lint"),
			p.commandStep("types", "web", "npm", "run", "--silent", "types"),
			p.commandStep("walls between the folders of web", "web", "node", "walls.mjs"),
			p.commandStep("knip", "web", "npm", "run", "--silent", "knip"),
			p.commandStep("size budgets", "web", "npm", "run", "--silent", "budget"),
		}, nil
	case partRepro:
		return []step{p.commandStep("two builds, same bytes", ".", "go", "run", "./tools/repro")}, nil
	case partUnit:
		steps := []step{p.goTest("go test -race", "-race", "-shuffle=on", "-timeout=10m", "./...")}
		if p.matching(`^web/(protocol|crypto|client|ui|loader|widget|console)/.*\.test\.tsx?$`) {
			steps = append(steps, p.vitest("vitest"))
		}
		return steps, nil
	case partTorture:
		return []step{p.goTest("simulated histories", "-count=1", "-timeout=0", "-run=^TestSimulator$", "./internal/conversation")}, nil
	case partFuzz:
		return p.fuzzSteps()
	case partDifferential:
		if !p.matching(`^web/e2e/(differential|vectors)[^/]*\.test\.ts$`) {
			return nil, nil
		}
		return []step{p.vitest("browser against Go", "--config", "e2e/vitest.config.mjs", "differential", "vectors")}, nil
	case partBrowser:
		if !p.matching(`^web/e2e/[^/]*\.test\.ts$`) {
			return nil, nil
		}
		args := []string{"--config", "e2e/vitest.config.mjs", "--exclude", "**/differential*", "--exclude", "**/vectors*", "--exclude", "**/bench*"}
		if !p.lane.looks {
			args = append(args, "--exclude", "**/widget*", "--exclude", "**/console*", "--exclude", "**/keys*", "--exclude", "**/pages*")
		}
		return []step{p.vitest("Chromium", args...)}, nil
	case partBench:
		steps := []step{p.commandStep("go test -bench", ".", "go", "test", "-run=^$", "-bench=.", "-benchmem", "./...")}
		if p.matching(`^web/e2e/bench[^/]*\.test\.ts$`) {
			steps = append(steps, p.vitest("Chromium", "--config", "e2e/vitest.config.mjs", "bench"))
		}
		return steps, nil
	}
	panic("verify: unknown part " + part)
}

// matching reports whether the project has a file of that kind yet.
func (p project) matching(pattern string) bool {
	return slices.ContainsFunc(p.files, regexp.MustCompile(pattern).MatchString)
}
