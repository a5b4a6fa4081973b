package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestReadGoTest_CountsAndKeepsWhatFailuresSaid(t *testing.T) {
	events := bytes.NewBufferString(`{"Action":"output","Package":"m/p","Test":"TestA","Output":"    a_test.go:1: note: seed 7\n"}
{"Action":"pass","Package":"m/p","Test":"TestA"}
{"Action":"output","Package":"m/p","Test":"TestB","Output":"    a_test.go:2: got 1, want 2\n"}
{"Action":"fail","Package":"m/p","Test":"TestB"}
{"Action":"fail","Package":"m/p"}
{"Action":"output","Package":"m/p","Test":"TestC","Output":"    a_test.go:3: no Chromium\n"}
{"Action":"skip","Package":"m/p","Test":"TestC"}
{"ImportPath":"m/q","Action":"build-output","Output":"q.go:1: undefined: x\n"}
{"Action":"fail","Package":"m/q","FailedBuild":"m/q"}
`)
	var out bytes.Buffer
	if got, want := readGoTest(events, &out), (result{passed: 1, failed: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, want := range []string{"note: seed 7", "got 1, want 2", "no Chromium", "undefined: x"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}

func TestReadVitest_NoReportIsAFailure(t *testing.T) {
	if got := readVitest("no such file"); got.failed != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestFuzzSteps_FindsEveryFuzzer(t *testing.T) {
	p := project{root: t.TempDir(), files: []string{"fuzz_test.go", "fuzz.go"}}
	const code = `package some

func FuzzParse(f *testing.F) {}
func TestFuzzing(t *testing.T) {}
func (parser) FuzzNothing() {}
`
	for _, file := range p.files {
		if err := os.WriteFile(p.path(file), []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	steps, err := p.fuzzSteps()
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) != 1 || steps[0].name != "FuzzParse in ./." {
		t.Errorf("got %d steps: %v", len(steps), steps)
	}
}

func TestDeadlineOnly(t *testing.T) {
	for _, c := range []struct {
		name, out string
		want      bool
	}{
		{"its deadline", "fuzz: elapsed: 5s\n--- FAIL: FuzzUnpad (5.13s)\n    context deadline exceeded\nFAIL\nexit status 1\n", true},
		{"a finding", "--- FAIL: FuzzUnpad (0.02s)\n    --- FAIL: FuzzUnpad (0.00s)\n        body_test.go:179: padded again\n\n    Failing input written to testdata/fuzz/FuzzUnpad/1\nFAIL\n", false},
		{"a finding about a deadline", "--- FAIL: FuzzUnpad (0.02s)\n    x_test.go:1: context deadline exceeded\n    Failing input written to testdata/fuzz/FuzzUnpad/1\nFAIL\n", false},
		{"a panic", "--- FAIL: FuzzUnpad (0.02s)\n    panic: context deadline exceeded\nFAIL\n", false},
		{"no build", "# some [build failed]\nFAIL\tsome [build failed]\n", false},
		{"nothing", "", false},
	} {
		if got := deadlineOnly(c.out); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}
