package config

import (
	"errors"
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

func TestLoad_LeavesOthersAlone(t *testing.T) {
	if _, err := Load([]string{"ALDABA_ROUNDS=1", "ALDABA_SEED=2", "ALDABA_SOAK=3", "ALDABAX=4", "ADDRESS=x", ""}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestLoad_Refuses(t *testing.T) {
	for _, test := range []struct {
		env, flags   []string
		want         string
		field, limit string
	}{
		{nil, []string{"adrs=127.0.0.1:1"}, `unknown setting "adrs": did you mean "address"?`, "adrs", ""},
		{[]string{"ALDABA_FODLER=x"}, nil, `did you mean "folder"?`, "fodler", ""},
		{[]string{"ALDABA_=x"}, nil, `unknown setting ""`, "", ""},
		{nil, []string{"seed=1"}, `unknown setting "seed"`, "seed", ""},
		{nil, []string{"Address=localhost:1"}, `did you mean "address"?`, "Address", ""},
		{nil, []string{strings.Repeat("x", 1<<16)}, "unknown setting", strings.Repeat("x", 64) + "…", ""},
		{nil, []string{"folder"}, "no value", "folder", ""},
		{[]string{"ALDABA_FOLDER"}, nil, "no value", "folder", ""},
		{nil, []string{"folder=a", "folder=b"}, "given twice", "folder", ""},
		{nil, []string{"folder=a", "folder=a"}, "given twice", "folder", ""},
		{[]string{"ALDABA_FOLDER=a", "ALDABA_folder=b"}, nil, "given twice", "folder", ""},
		{nil, []string{"folder="}, "give the path", "folder", "1 to 4095 bytes"},
		{nil, []string{"folder=a\x00b"}, "zero bytes", "folder", "no zero bytes"},
		{nil, []string{"folder=" + strings.Repeat("x", maxFolder+1)}, "at most 4095", "folder", "1 to 4095 bytes"},
		{nil, []string{"chat=https://chat.example.com"}, "give both or neither", "console", "two origins"},
		{nil, []string{"chat=https://a.example", "console=https://a.example"}, "two different origins", "console", "two origins"},
		{nil, []string{"chat=http://chat.example.com"}, "https://chat.example.com", "chat", "https://host[:port]"},
		{nil, []string{"chat=https://chat.example.com/"}, "without a path", "chat", "https://host[:port]"},
		{nil, []string{"chat=https://Chat.example.com"}, "lower case", "chat", "https://host[:port]"},
		{nil, []string{"console=chat.example.com"}, "https://console.example.com", "console", "https://host[:port]"},
		{nil, []string{"address=8700"}, "write host:port", "address", "host:port"},
		{nil, []string{"address="}, "write host:port", "address", "host:port"},
		{nil, []string{"address=:8700"}, "loopback", "address", "a loopback address"},
		{nil, []string{"address=0.0.0.0:8700"}, "loopback", "address", "a loopback address"},
		{nil, []string{"address=[::]:8700"}, "loopback", "address", "a loopback address"},
		{nil, []string{"address=example.com:8700"}, "loopback", "address", "a loopback address"},
		{nil, []string{"address=127.0.0.1:65536"}, "65535", "address", "0 to 65535"},
		{nil, []string{"address=127.0.0.1:-1"}, "65535", "address", "0 to 65535"},
		{nil, []string{"address=127.0.0.1:http"}, "65535", "address", "0 to 65535"},
	} {
		c, err := Load(test.env, test.flags)
		e, ok := errors.AsType[*Error](err)
		if !ok || !strings.Contains(e.Error(), test.want) || e.Field != test.field || e.Limit != test.limit || c != (Config{}) {
			t.Errorf("%.40q %.40q: got %#v, want %q", test.env, test.flags, err, test.want)
		}
		if ok && len(e.Error()) > 300 {
			t.Errorf("%.40q %.40q: the message has %d bytes", test.env, test.flags, len(e.Error()))
		}
	}
}

func TestDescribe_NamesEverySetting(t *testing.T) {
	for _, s := range Describe() {
		if s.Doc == "" || s.Type == "" || s.Default == "" {
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
