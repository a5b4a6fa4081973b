// Package config is everything that an operator sets: one documented struct,
// loaded from the environment and from flags. It imports nothing of ours, and
// only the composition root and the command line import it.
package config

import (
	"errors"
	"fmt"
	"net"
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
}

// Setting describes one setting for people.
type Setting struct {
	Name    string // as a flag; in the environment ALDABA_ and capitals
	Default string
	Doc     string
}

const environment = "ALDABA_"

// maxFolder is the longest path that Linux opens, in bytes (PATH_MAX).
const maxFolder = 4095

var settings = []Setting{
	{Name: "address", Default: "127.0.0.1:8700", Doc: "where browsers connect, as host:port; the host is a loopback address"},
	{Name: "folder", Default: "data", Doc: "the folder of the data; made when it is not there"},
}

// forTests are names of the same prefix that belong to the test runner.
var forTests = []string{"rounds", "seed", "soak"}

// Describe lists the settings in their order.
func Describe() []Setting { return slices.Clone(settings) }

// Load starts from the defaults, takes NAME=value pairs of the environment,
// then name=value pairs given as flags, and validates. An unknown name and a
// name given twice in one source are errors.
func Load(env, flags []string) (Config, error) {
	values := map[string]string{}
	for _, s := range settings {
		values[s.Name] = s.Default
	}
	var ours []string
	for _, pair := range env {
		if name, ok := strings.CutPrefix(pair, environment); ok {
			key, value, _ := strings.Cut(name, "=")
			key = strings.ToLower(key)
			if !slices.Contains(forTests, key) {
				ours = append(ours, key+"="+value)
			}
		}
	}
	for _, source := range [][]string{ours, flags} {
		if err := take(values, source); err != nil {
			return Config{}, err
		}
	}
	c := Config{Address: values["address"], Folder: values["folder"]}
	return c, c.Validate()
}

func take(values map[string]string, pairs []string) error {
	seen := map[string]bool{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if _, known := values[name]; !known {
			return fmt.Errorf("unknown setting %q: did you mean %q?", name, nearest(name))
		}
		if !ok {
			return fmt.Errorf("setting %q has no value: write %s=…", name, name)
		}
		if seen[name] {
			return fmt.Errorf("setting %q is given twice: keep one", name)
		}
		seen[name] = true
		values[name] = value
	}
	return nil
}

// Validate says what is wrong with the first setting that cannot work.
func (c Config) Validate() error {
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return fmt.Errorf("address %q: write host:port, as in %s", c.Address, settings[0].Default)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("address %q: the host must be a loopback address (127.0.0.1, ::1 or localhost), because connections are not encrypted yet", c.Address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("address %q: the port must be a number from 0 to 65535", c.Address)
	}
	if c.Folder == "" || strings.ContainsRune(c.Folder, 0) {
		return errors.New("folder: give the path of a folder")
	}
	if len(c.Folder) > maxFolder {
		return fmt.Errorf("folder: the path has %d bytes, at most %d are possible", len(c.Folder), maxFolder)
	}
	return nil
}

// nearest is the known name with the smallest edit distance (Levenshtein).
func nearest(name string) string {
	if len(name) > 64 {
		name = name[:64]
	}
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
