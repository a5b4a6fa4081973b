// Package config is everything that an operator sets: one documented struct,
// loaded from the environment and from flags. It imports nothing of ours, and
// only the composition root and the command line import it.
package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Config holds every setting.
type Config struct {
	// Address is host:port; the host is a loopback address.
	Address string
	// Folder holds the data.
	Folder string
	// Chat and Console are the origins at which browsers reach the visitors' and
	// the staff's pages; both or neither. Without them the local names are used.
	Chat, Console string
	// Demo makes a sample organisation, whose office this process plays.
	Demo bool
}

// Setting describes one setting for people.
type Setting struct {
	Name    string // as a flag; in the environment ALDABA_ and capitals
	Type    string // what a value is, as in "host:port"
	Default string
	Doc     string
}

// Error says what is wrong with one setting, and what to write instead.
type Error struct {
	Field   string // the setting's name, as it was given
	Limit   string // what a value must keep, as in "0 to 65535"; "" when the name is wrong
	Message string // the whole sentence, with field and limit
}

func (e *Error) Error() string { return e.Message }

const environment = "ALDABA_"

// local stands for the names of this machine.
const local = "local"

// maxFolder is the longest path that Linux opens, in bytes (PATH_MAX).
const maxFolder = 4095

var settings = []Setting{
	{Name: "address", Type: "host:port", Default: "127.0.0.1:8700", Doc: "where browsers connect, as host:port; the host is a loopback address"},
	{Name: "folder", Type: "path", Default: "data", Doc: "the folder of the data; made when it is not there"},
	{Name: "chat", Type: "origin", Default: local, Doc: "the origin of the visitors' pages, as in https://chat.example.com, when a proxy on this machine brings them here; local is http://chat.aldaba.localhost and the port"},
	{Name: "console", Type: "origin", Default: local, Doc: "the origin of the staff's pages, another host than chat's; local is http://console.aldaba.localhost and the port"},
	{Name: "demo", Type: "on|off", Default: "off", Doc: "makes a sample organisation and plays its office, beside the data folder; never for real conversations"},
}

// forTests are names of the same prefix that belong to the test runner.
var forTests = []string{"rounds", "seed", "soak"}

// Describe lists the settings in their order.
func Describe() []Setting { return slices.Clone(settings) }

// Load starts from the defaults, takes NAME=value pairs of the environment,
// then name=value pairs given as flags, and validates. An unknown name and a
// name given twice in one source are errors. Each error is an [*Error].
func Load(env, flags []string) (Config, error) {
	values := map[string]string{}
	for _, s := range settings {
		values[s.Name] = s.Default
	}
	var ours []string
	for _, pair := range env {
		if pair, ok := strings.CutPrefix(pair, environment); ok {
			key, value, given := strings.Cut(pair, "=")
			key = strings.ToLower(key)
			if slices.Contains(forTests, key) {
				continue
			}
			if given {
				key += "=" + value
			}
			ours = append(ours, key)
		}
	}
	for _, source := range [][]string{ours, flags} {
		if err := take(values, source); err != nil {
			return Config{}, err
		}
	}
	c := Config{Address: values["address"], Folder: values["folder"], Chat: named(values["chat"]), Console: named(values["console"]), Demo: values["demo"] == "on"}
	if demo := values["demo"]; demo != "on" && demo != "off" {
		return Config{}, &Error{Field: "demo", Limit: "on or off", Message: fmt.Sprintf("demo %q: write on or off", clip(demo))}
	}
	if err := c.Validate(); err != nil {
		return Config{}, err
	}
	return c, nil
}

func take(values map[string]string, pairs []string) error {
	seen := map[string]bool{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if _, known := values[name]; !known {
			name = clip(name)
			return &Error{Field: name, Message: fmt.Sprintf("unknown setting %q: did you mean %q?", name, nearest(name))}
		}
		if !ok {
			return &Error{Field: name, Message: fmt.Sprintf("setting %q has no value: write %s=…", name, name)}
		}
		if seen[name] {
			return &Error{Field: name, Message: fmt.Sprintf("setting %q is given twice: keep one", name)}
		}
		seen[name] = true
		values[name] = value
	}
	return nil
}

// Validate says what is wrong with the first setting that cannot work; the
// error is an [*Error].
func (c Config) Validate() error {
	if err := c.validateOrigins(); err != nil {
		return err
	}
	wrong := func(limit, message string) error {
		return &Error{Field: "address", Limit: limit, Message: fmt.Sprintf("address %q: %s", clip(c.Address), message)}
	}
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return wrong("host:port", "write host:port, as in "+settings[0].Default)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return wrong("a loopback address", "the host must be a loopback address (127.0.0.1, ::1 or localhost), because connections are not encrypted yet")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return wrong("0 to 65535", "the port must be a number from 0 to 65535")
	}
	limit := fmt.Sprintf("1 to %d bytes", maxFolder)
	switch {
	case c.Folder == "":
		return &Error{Field: "folder", Limit: limit, Message: "folder: give the path of a folder"}
	case strings.ContainsRune(c.Folder, 0):
		return &Error{Field: "folder", Limit: "no zero bytes", Message: "folder: a path cannot have zero bytes"}
	case len(c.Folder) > maxFolder:
		return &Error{Field: "folder", Limit: limit, Message: fmt.Sprintf("folder: the path has %d bytes, at most %d are possible", len(c.Folder), maxFolder)}
	}
	return nil
}

// named is an origin, and nothing for the local names.
func named(origin string) string {
	if origin == local {
		return ""
	}
	return origin
}

func (c Config) validateOrigins() error {
	for name, origin := range map[string]string{"chat": c.Chat, "console": c.Console} {
		if origin == "" {
			continue
		}
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "https" || u.Host == "" || origin != "https://"+strings.ToLower(u.Host) {
			return &Error{Field: name, Limit: "https://host[:port]", Message: fmt.Sprintf("%s %q: write an origin in lower case without a path, as in https://%s.example.com", name, clip(origin), name)}
		}
	}
	if (c.Chat == "") != (c.Console == "") || c.Chat == c.Console && c.Chat != "" {
		return &Error{Field: "console", Limit: "two origins", Message: "chat and console are two different origins: give both or neither, so that visitors' pages and staff's pages share nothing"}
	}
	return nil
}

// clip keeps what somebody gave short enough for a message.
func clip(text string) string {
	const most = 64
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// nearest is the known name with the smallest edit distance (Levenshtein).
func nearest(name string) string {
	return slices.MinFunc(settings, func(a, b Setting) int {
		return distance(name, a.Name) - distance(name, b.Name)
	}).Name
}

func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
