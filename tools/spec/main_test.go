package main

import (
	"slices"
	"testing"
)

func TestParse_ReadsRulesInOrder(t *testing.T) {
	rules, err := parse("# Rules\n\n- **P1** [magic] starts so\n- **R1** (due with grants) later\n- **F2** [files] (due with files) later\n- **K7** (withdrawn) gone\n- **not a rule**\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []rule{{id: "P1"}, {id: "R1", later: "due with grants"}, {id: "F2", later: "due with files"}, {id: "K7", later: "withdrawn"}}
	if !slices.Equal(rules, want) {
		t.Errorf("got %v, want %v", rules, want)
	}
}

func TestParse_RefusesASecondRuleOfOneNumber(t *testing.T) {
	if _, err := parse("- **P1** one\n- **P1** two\n"); err == nil {
		t.Error("two rules named P1 were accepted")
	}
	if _, err := parse("no rules here\n"); err == nil {
		t.Error("a text without rules was accepted")
	}
}

func TestQuoted(t *testing.T) {
	for text, want := range map[string][]string{
		`t.Run("[E9] a member twice", …)`:       {"E9"},
		`// [E9, E10] and [P1 K2]`:              {"E10", "E9", "K2", "P1"},
		`{"name": "x", "rule": "W3"}`:           {"W3"},
		`"rules": ["W3", "W4"]`:                 {"W3", "W4"},
		`{name: "x", rule: "V1a"},`:             {"V1a"},
		`an array[E9] is text, "E9" is no rule`: {"E9"},
		`a[i] [e9] [RFC 9180] rule of "E9"`:     nil,
	} {
		if got := quoted(text); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}
