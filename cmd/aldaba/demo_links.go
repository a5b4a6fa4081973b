package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

// demoPerson is one of the sample's people, with a host name of its own.
type demoPerson struct {
	login, name, title, says string
	role                     chat.Role
	device                   seal.Role // 0 for who takes no part in conversations
}

var demoPeople = []demoPerson{
	{"ana", "Ana", "Atención al cliente", "an agent", chat.RoleAgent, seal.Agent},
	{"luis", "Luis", "Atención al cliente", "another agent", chat.RoleAgent, seal.Agent},
	{"marta", "Marta", "Supervisión", "their supervisor", chat.RoleSupervisor, seal.Supervisor},
	{"admin", "Administración", "", "the administrator", chat.RoleAdministrator, 0},
}

// demoName is the sample company's.
const demoName = "Banco Ribera"

// profiles are the people's accounts, the administrator first.
func profiles() []identity.Profile {
	var all []identity.Profile
	for _, p := range demoPeople {
		one := identity.Profile{Login: p.login, Name: p.name, Title: p.title, Role: p.role}
		if p.role == chat.RoleAdministrator {
			all = append([]identity.Profile{one}, all...)
			continue
		}
		one.Departments = [][16]byte{demoSealed, demoAssisted}
		all = append(all, one)
	}
	return all
}

const (
	// linkLasts is long enough for a day of trying out.
	linkLasts = 12 * time.Hour
	nonceSize = 16
)

// doorFile is what `aldaba demo links` needs of a demonstration that runs: it
// stands in the office's folder, for its owner only, and a new start makes a new
// one, so that older links lead nowhere.
type doorFile struct {
	Port int      `json:"port"`
	Key  [32]byte `json:"key"`
}

const doorFileName = "door.json"

func doorName(data string) string { return filepath.Join(keptFiles(data).Folder, doorFileName) }

// door lets the sample's people in by links, each once.
type door struct {
	doorFile

	mu    sync.Mutex
	spent map[[nonceSize]byte]time.Time // until when the link would have lasted
}

// openDoor makes the key of a demonstration that begins at a port.
func openDoor(data string, port int) (*door, error) {
	d := &door{doorFile: doorFile{Port: port}, spent: map[[nonceSize]byte]time.Time{}}
	rand.Read(d.Key[:])
	content, err := json.Marshal(d.doorFile)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(doorName(data), content, 0o600); err != nil {
		return nil, fmt.Errorf("the demonstration's links cannot be made: %w", err)
	}
	return d, nil
}

// readDoor is that of the demonstration that runs on a data folder.
func readDoor(ctx context.Context, data string) (d doorFile, err error) {
	content, err := os.ReadFile(doorName(data))
	if err == nil {
		err = json.Unmarshal(content, &d, json.RejectUnknownMembers(true))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return d, fmt.Errorf("no demonstration runs on %s: start one with `make run`", data)
	}
	if err != nil {
		return d, fmt.Errorf("the demonstration's door cannot be read: %w", err)
	}
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(d.Port)))
	if err != nil {
		return d, fmt.Errorf("the demonstration on %s does not run any more: start it with `make run`", data)
	}
	return d, connection.Close()
}

func (d doorFile) mark(login string, head []byte) []byte {
	mac := hmac.New(sha256.New, d.Key[:])
	mac.Write(head)
	mac.Write([]byte(login))
	return mac.Sum(nil)
}

// token lets one person in, once: when it ends, a number of its own, and a mark
// that only the door's key makes.
func (d doorFile) token(login string, now time.Time) string {
	head := make([]byte, 8+nonceSize)
	binary.BigEndian.PutUint64(head, milliseconds(now.Add(linkLasts)))
	rand.Read(head[8:])
	return base64.RawURLEncoding.EncodeToString(append(head, d.mark(login, head)...))
}

// admits says whether a token lets this person in, and spends it.
func (d *door) admits(login, token string, now time.Time) bool {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 8+nonceSize+sha256.Size {
		return false
	}
	head, mark := raw[:8+nonceSize], raw[8+nonceSize:]
	until := at(binary.BigEndian.Uint64(head))
	if !hmac.Equal(mark, d.mark(login, head)) || !now.Before(until) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for nonce, ends := range d.spent {
		if now.After(ends) {
			delete(d.spent, nonce)
		}
	}
	nonce := [nonceSize]byte(head[8:])
	_, again := d.spent[nonce]
	d.spent[nonce] = until
	return !again
}

// demoLine is one address of the demonstration.
type demoLine struct{ name, says, address string }

// lines are the pages of the demonstration with fresh links. A link's secrets
// stand behind the #, which browsers do not send.
func (d doorFile) lines(ctx context.Context, k *keeper) ([]demoLine, error) {
	origin := func(name string) string { return fmt.Sprintf("http://%s.aldaba.localhost:%d/", name, d.Port) }
	lines := []demoLine{
		{"bank", "a sample bank, with the chat on its pages", origin("bank")},
		{"chat", "the chat, as a page of its own", origin("chat") + "c/bank"},
	}
	for _, p := range demoPeople {
		address := origin(p.login) + "#demo=" + d.token(p.login, time.Now())
		if p.device != 0 {
			inv, err := k.invite(ctx, authority.Invite{
				Name: p.name, Title: p.title, Role: p.device, Departments: [][16]byte{demoSealed, demoAssisted},
			})
			if err != nil {
				return nil, fmt.Errorf("invite %s: %w", p.name, err)
			}
			address += "&invite=" + inv.String()
		}
		lines = append(lines, demoLine{p.login, p.says, address})
	}
	return append(lines, demoLine{"mail", "mails and text messages that would be sent", origin("mail")}), nil
}

func printLines(w io.Writer, lines []demoLine) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		fmt.Fprintf(table, "%s\t%s\t%s\n", l.name, l.says, l.address)
	}
	_ = table.Flush() // a terminal
}
