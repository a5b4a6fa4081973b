package identity

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

const (
	maxLogin = 64  // characters
	maxName  = 80  // code points
	maxCap   = 100 // conversations at once
	maxTeams = 64  // departments of one person
)

// Account is a member of the staff as others see it.
type Account struct {
	ID          chat.StaffID
	Login       string // in lower case
	Name        string
	Title       string
	Role        chat.Role
	Departments [][16]byte // ids of the organisation's policy, sorted
	Cap         int        // conversations at once; 0 leaves it to the department
	State       State
	Seen        int64 // milliseconds since 1970; 0 for never
}

// State says whether an account can sign in.
type State uint8

// The states of an account.
const (
	Invited   State = iota + 1 // has not used the link yet
	Active                     // can sign in
	Suspended                  // cannot, until it is resumed
)

var stateNames = []string{"invited", "active", "suspended"}

// String is the state's name.
func (s State) String() string {
	if s < Invited || s > Suspended {
		return fmt.Sprintf("no state (%d)", uint8(s))
	}
	return stateNames[s-1]
}

// Profile is what an administrator says about a person.
type Profile struct {
	Login       string
	Name        string
	Title       string
	Role        chat.Role
	Departments [][16]byte
	Cap         int
}

// check brings a profile into its one form, or names the field that cannot be.
func (p *Profile) check() (err error) {
	if p.Login, err = cleanLogin(p.Login); err != nil {
		return err
	}
	if p.Name, err = cleanName("name", p.Name, 1); err != nil {
		return err
	}
	if p.Title, err = cleanName("title", p.Title, 0); err != nil {
		return err
	}
	switch p.Role {
	case chat.RoleAgent, chat.RoleSupervisor, chat.RoleAdministrator:
	default:
		return chat.Invalid("role", "a member of the staff is agent, supervisor or administrator")
	}
	if p.Cap < 0 || p.Cap > maxCap {
		return &chat.Error{Kind: chat.KindInvalid, Field: "cap", Limit: maxCap, Message: fmt.Sprintf("a cap is 1 to %d conversations at once, or 0 for the department's", maxCap)}
	}
	if len(p.Departments) > maxTeams {
		return &chat.Error{Kind: chat.KindInvalid, Field: "departments", Limit: maxTeams, Message: fmt.Sprintf("a person has at most %d departments", maxTeams)}
	}
	p.Departments = slices.Clone(p.Departments)
	slices.SortFunc(p.Departments, func(a, b [16]byte) int { return slices.Compare(a[:], b[:]) })
	p.Departments = slices.Compact(p.Departments)
	return nil
}

func cleanLogin(login string) (string, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	wrong := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("._-@+", c)
	}
	if login == "" || len(login) > maxLogin || strings.ContainsFunc(login, wrong) {
		return "", &chat.Error{
			Kind: chat.KindInvalid, Field: "login", Limit: maxLogin,
			Message: fmt.Sprintf("a login has 1 to %d letters of a to z, digits and . _ - @ +", maxLogin),
		}
	}
	return login, nil
}

// cleanName refuses what cannot be shown as one line.
func cleanName(field, text string, least int) (string, error) {
	text = norm.NFC.String(strings.TrimSpace(text))
	wrong := func(c rune) bool { return unicode.Is(unicode.C, c) || c == unicode.ReplacementChar }
	if n := utf8.RuneCountInString(text); n < least || n > maxName || strings.ContainsFunc(text, wrong) {
		return "", &chat.Error{
			Kind: chat.KindInvalid, Field: field, Limit: maxName,
			Message: fmt.Sprintf("a %s has %d to %d characters, and none that cannot be seen", field, least, maxName),
		}
	}
	return text, nil
}
