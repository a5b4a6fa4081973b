package config

import (
	"strings"
	"testing"
)

func TestLoad_FlagsWinOverTheEnvironment(t *testing.T) {
	c, err := Load(
		[]string{"HOME=/", "ALDABA_ADDRESS=127.0.0.1:1", "ALDABA_FOLDER=a", "ALDABA_SEED=5"},
		[]string{"address=[::1]:2"},
	)
	if err != nil || c != (Config{Address: "[::1]:2", Folder: "a"}) {
		t.Fatalf("got %+v, %v", c, err)
	}
}

func TestLoad_DefaultsAreValid(t *testing.T) {
	c, err := Load(nil, nil)
	if err != nil || c.Address != "127.0.0.1:8700" || c.Folder != "data" {
		t.Fatalf("got %+v, %v", c, err)
	}
}

func TestLoad_Refuses(t *testing.T) {
	for _, test := range []struct {
		env, flags []string
		want       string
	}{
		{nil, []string{"adrs=127.0.0.1:1"}, `unknown setting "adrs": did you mean "address"?`},
		{[]string{"ALDABA_FODLER=x"}, nil, `did you mean "folder"?`},
		{nil, []string{strings.Repeat("x", 1<<16)}, "unknown setting"},
		{nil, []string{"folder"}, "no value"},
		{nil, []string{"folder=a", "folder=b"}, "given twice"},
		{nil, []string{"folder="}, "folder"},
		{nil, []string{"folder=" + strings.Repeat("x", maxFolder+1)}, "at most 4095"},
		{nil, []string{"address=8700"}, "host:port"},
		{nil, []string{"address=0.0.0.0:8700"}, "loopback"},
		{nil, []string{"address=example.com:8700"}, "loopback"},
		{nil, []string{"address=127.0.0.1:65536"}, "65535"},
		{nil, []string{"address=127.0.0.1:-1"}, "65535"},
	} {
		_, err := Load(test.env, test.flags)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40q %.40q: got %v, want %q", test.env, test.flags, err, test.want)
		}
	}
}

func TestDescribe_NamesEverySetting(t *testing.T) {
	for _, s := range Describe() {
		if s.Doc == "" || s.Default == "" {
			t.Errorf("%s is not described", s.Name)
		}
		if _, err := Load(nil, []string{s.Name + "=" + s.Default}); err != nil {
			t.Errorf("%s does not take its own default: %v", s.Name, err)
		}
	}
}

// FuzzLoad: whatever is given, an answer without a panic, and a valid one when there is no error.
func FuzzLoad(f *testing.F) {
	f.Add("ALDABA_ADDRESS=localhost:0", "folder=x")
	f.Add("ALDABA_=", "=")
	f.Fuzz(func(t *testing.T, env, flag string) {
		c, err := Load([]string{env}, []string{flag})
		if err == nil && c.Validate() != nil {
			t.Fatalf("accepted %+v", c)
		}
	})
}
