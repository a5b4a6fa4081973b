package identity_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/keyring"
	"github.com/aldaba-chat/aldaba/internal/store/sqlite"
)

const (
	password = "seven quiet herons"
	desk     = "192.0.2.7"
	thief    = "203.0.113.9"
)

// office is an installation with a clock that the test moves.
type office struct {
	*identity.Staff
	t      *testing.T
	clock  atomic.Int64
	folder string
	ended  []identity.Ended
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, folder: filepath.Join(t.TempDir(), "data")}
	o.clock.Store(time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC).UnixMilli())
	o.must(os.Mkdir(o.folder, 0o700))
	store, err := sqlite.Open(t.Context(), o.folder, slog.New(slog.DiscardHandler))
	o.must(err)
	t.Cleanup(func() { o.must(store.Close()) })
	ring, err := keyring.Open(t.Context(), keyring.Beside(o.folder), o.folder, store)
	o.must(err)
	o.Staff = identity.New(identity.Options{Store: store, Ring: ring, Now: o.now})
	o.OnEnd(func(e identity.Ended) { o.ended = append(o.ended, e) })
	return o
}

func (o *office) now() time.Time       { return time.UnixMilli(o.clock.Load()) }
func (o *office) wait(d time.Duration) { o.clock.Add(d.Milliseconds()) }
func (o *office) ctx() context.Context { return o.t.Context() }
func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// refused wants an error of a kind, whose sentence has a piece.
func refused(t *testing.T, what string, err error, kind chat.Kind, piece string) {
	t.Helper()
	if err == nil || chat.KindOf(err) != kind || !strings.Contains(err.Error(), piece) {
		t.Errorf("%s: got %v (%s), want %s with %q", what, err, chat.KindOf(err), kind, piece)
	}
}

// member is somebody who has joined.
type member struct {
	*office
	identity.Account
	secret   string
	recovery []string
	session  string
}

// code is what the app shows: the next one, so that each is fresh.
func (m *member) code() string {
	m.t.Helper()
	m.wait(30 * time.Second)
	code, err := totp.GenerateCode(m.secret, m.now())
	m.must(err)
	return code
}

func (o *office) join(a identity.Account, t identity.Ticket) *member {
	o.t.Helper()
	setup, err := o.JoinPassword(o.ctx(), t.Token, password)
	o.must(err)
	m := &member{office: o, Account: a, secret: setup.Secret}
	m.recovery, m.session, err = o.JoinCode(o.ctx(), t.Token, m.code(), desk)
	o.must(err)
	return m
}

// founded is an organisation with its first administrator.
func founded(t *testing.T) *member {
	t.Helper()
	o := newOffice(t)
	a, ticket, err := o.Found(o.ctx(), "Banco Sol", identity.Profile{Login: "root", Name: "Rosa Ruiz"})
	o.must(err)
	return o.join(a, ticket)
}

func (m *member) hire(login string, role chat.Role) *member {
	m.t.Helper()
	a, ticket, err := m.Invite(m.ctx(), identity.Profile{Login: login, Name: "Ana Pérez", Role: role, Departments: [][16]byte{{1}}})
	m.must(err)
	return m.join(a, ticket)
}

func (m *member) signIn(from string) string {
	m.t.Helper()
	step, token, err := m.SignIn(m.ctx(), m.Login, password, from)
	m.must(err)
	if step != identity.StepCode {
		m.t.Fatalf("after the password comes %s", step)
	}
	fresh, err := m.Code(m.ctx(), token, m.code())
	m.must(err)
	return fresh
}

func TestJoin_AnInvitedPersonChoosesPasswordAndAppOnce(t *testing.T) {
	m := founded(t)
	a, ticket, err := m.Invite(m.ctx(), identity.Profile{Login: " Ana ", Name: "Ana", Title: "Atención", Role: chat.RoleAgent, Departments: [][16]byte{{2}, {1}, {2}}, Cap: 4})
	m.must(err)
	if a.Login != "ana" || a.State != identity.Invited || !reflect.DeepEqual(a.Departments, [][16]byte{{1}, {2}}) {
		t.Errorf("invited: %+v", a)
	}
	_, _, err = m.SignIn(m.ctx(), "ana", password, desk)
	refused(t, "sign-in before joining", err, chat.KindDenied, "login or the password")
	_, _, err = m.JoinCode(m.ctx(), ticket.Token, "000000", desk)
	refused(t, "a code before a password", err, chat.KindConflict, "password first")

	who, organisation, err := m.Join(m.ctx(), ticket.Token)
	m.must(err)
	if who.Login != "ana" || organisation != "Banco Sol" {
		t.Errorf("the link shows %+v of %q", who, organisation)
	}
	_, err = m.JoinPassword(m.ctx(), ticket.Token, "too short")
	refused(t, "a short password", err, chat.KindInvalid, "at least 12")
	first, err := m.JoinPassword(m.ctx(), ticket.Token, password)
	m.must(err)
	second, err := m.JoinPassword(m.ctx(), ticket.Token, password)
	m.must(err)
	if first.Secret == second.Secret || !strings.HasPrefix(second.URI, "otpauth://totp/Banco%20Sol:ana?secret="+second.Secret) {
		t.Errorf("set up %v then %v", first, second)
	}
	ana := &member{office: m.office, Account: a, secret: first.Secret}
	_, _, err = m.JoinCode(m.ctx(), ticket.Token, ana.code(), desk)
	refused(t, "a code of the secret that was replaced", err, chat.KindDenied, "code")
	ana.secret = second.Secret
	recovery, session, err := m.JoinCode(m.ctx(), ticket.Token, ana.code(), desk)
	m.must(err)
	if len(recovery) != 10 {
		t.Errorf("%d recovery codes", len(recovery))
	}
	got, err := m.Who(m.ctx(), session)
	m.must(err)
	if got.State != identity.Active || got.ID != a.ID {
		t.Errorf("signed in as %+v", got)
	}
	_, _, err = m.Join(m.ctx(), ticket.Token)
	refused(t, "the link again", err, chat.KindNotFound, "was used")
	_, _, err = m.JoinCode(m.ctx(), ticket.Token, ana.code(), desk)
	refused(t, "the last step again", err, chat.KindNotFound, "was used")
}

func TestJoin_OfManyAtOnceOneUsesTheLink(t *testing.T) {
	m := founded(t)
	_, ticket, err := m.Invite(m.ctx(), identity.Profile{Login: "ana", Name: "Ana", Role: chat.RoleAgent})
	m.must(err)
	setup, err := m.JoinPassword(m.ctx(), ticket.Token, password)
	m.must(err)
	ana := &member{office: m.office, secret: setup.Secret}
	code := ana.code()
	var joined atomic.Int32
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if _, _, err := m.JoinCode(m.ctx(), ticket.Token, code, desk); err == nil {
				joined.Add(1)
			}
		})
	}
	all.Wait()
	if n := joined.Load(); n != 1 {
		t.Errorf("%d used it", n)
	}
}

func TestLink_Ends(t *testing.T) {
	o := newOffice(t)
	a, first, err := o.Found(o.ctx(), "Banco Sol", identity.Profile{Login: "root", Name: "Rosa"})
	o.must(err)
	_, _, err = o.Found(o.ctx(), "Other", identity.Profile{Login: "other", Name: "Other"})
	refused(t, "a second setup", err, chat.KindConflict, "set up before")
	o.wait(30*time.Minute - time.Second)
	_, _, err = o.Join(o.ctx(), first.Token)
	o.must(err)
	o.wait(time.Second)
	_, _, err = o.Join(o.ctx(), first.Token)
	refused(t, "the first administrator's link after 30 minutes [ASVS 6.3.2]", err, chat.KindNotFound, "ended")
	again, err := o.Link(o.ctx(), a.ID)
	o.must(err)
	root := o.join(a, again)
	_, ana, err := o.Invite(o.ctx(), identity.Profile{Login: "ana", Name: "Ana", Role: chat.RoleAgent})
	o.must(err)
	if got := ana.Until.Sub(o.now()); got != 7*24*time.Hour {
		t.Errorf("a person's link lasts %s", got)
	}
	people, err := o.People(o.ctx())
	o.must(err)
	newer, err := o.Link(o.ctx(), people[0].ID)
	o.must(err)
	_, _, err = o.Join(o.ctx(), ana.Token)
	refused(t, "a link after a newer one", err, chat.KindNotFound, "")
	_, _, err = o.Join(o.ctx(), newer.Token)
	o.must(err)
	_, _, err = root.Join(o.ctx(), "")
	refused(t, "no link", err, chat.KindNotFound, "")
}

// Whoever lost the phone comes back by a link; what the account had until then
// goes on working until the link was used [ASVS 6.4.3].
func TestLink_ReplacesPasswordAppAndCodes(t *testing.T) {
	ana := founded(t).hire("ana", chat.RoleAgent)
	ticket, err := ana.Link(ana.ctx(), ana.ID)
	ana.must(err)
	old := ana.signIn(desk)
	again := ana.join(ana.Account, ticket)
	_, err = ana.Who(ana.ctx(), old)
	refused(t, "the old session", err, chat.KindDenied, "not signed in")
	if _, err := again.Who(again.ctx(), again.session); err != nil {
		t.Error(err)
	}
	_, token, err := ana.SignIn(ana.ctx(), "ana", password, desk)
	ana.must(err)
	_, err = ana.Code(ana.ctx(), token, ana.code())
	refused(t, "the old app", err, chat.KindDenied, "code")
	_, err = ana.Code(ana.ctx(), token, ana.recovery[0])
	refused(t, "the old recovery code", err, chat.KindDenied, "code")
	_, err = ana.Code(ana.ctx(), token, again.recovery[0])
	ana.must(err)
}

// [S60a] [ASVS 6.5.1]
func TestCode_IsAcceptedOnce(t *testing.T) {
	ana := founded(t).hire("ana", chat.RoleAgent)
	first := func() string {
		_, token, err := ana.SignIn(ana.ctx(), "ana", password, desk)
		ana.must(err)
		return token
	}
	code := ana.code()
	_, err := ana.Code(ana.ctx(), first(), code)
	ana.must(err)
	_, err = ana.Code(ana.ctx(), first(), code)
	refused(t, "the same code", err, chat.KindDenied, "used")

	code = ana.code()
	later := ana.code()
	_, err = ana.Code(ana.ctx(), first(), later)
	ana.must(err)
	_, err = ana.Code(ana.ctx(), first(), code)
	refused(t, "an older code of the window", err, chat.KindDenied, "used")

	for name, off := range map[string]time.Duration{"two steps early": time.Minute, "two steps late": -time.Minute} {
		code, err := totp.GenerateCode(ana.secret, ana.now().Add(off+30*time.Second))
		ana.must(err)
		ana.wait(30 * time.Second)
		_, err = ana.Code(ana.ctx(), first(), code)
		refused(t, name, err, chat.KindDenied, "code")
		ana.wait(time.Hour)
	}

	tokens := []string{first(), first(), first(), first()}
	code = ana.code()
	var taken atomic.Int32
	var all sync.WaitGroup
	for _, token := range tokens {
		all.Go(func() {
			if _, err := ana.Code(ana.ctx(), token, code); err == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if n := taken.Load(); n != 1 {
		t.Errorf("%d of 4 at once were accepted", n)
	}
}

func TestRecoveryCode_IsAcceptedOnceAsItIsTyped(t *testing.T) {
	ana := founded(t).hire("ana", chat.RoleAgent)
	sign := func(code string) error {
		_, token, err := ana.SignIn(ana.ctx(), "ana", password, desk)
		ana.must(err)
		_, err = ana.Code(ana.ctx(), token, code)
		return err
	}
	ana.must(sign(" " + strings.ToLower(strings.ReplaceAll(ana.recovery[3], "-", " "))))
	refused(t, "again", sign(ana.recovery[3]), chat.KindDenied, "used")
	if n, err := ana.RecoveryLeft(ana.ctx(), ana.ID); err != nil || n != 9 {
		t.Errorf("%d left, %v", n, err)
	}
	_, err := ana.NewRecoveryCodes(ana.ctx(), ana.session, "000000")
	refused(t, "new ones without a code", err, chat.KindDenied, "code")
	fresh, err := ana.NewRecoveryCodes(ana.ctx(), ana.session, ana.code())
	ana.must(err)
	refused(t, "an old one", sign(ana.recovery[0]), chat.KindDenied, "")
	ana.must(sign(fresh[9]))
	if different := slices.Compact(slices.Sorted(slices.Values(fresh))); len(different) != 10 {
		t.Errorf("%d codes", len(fresh))
	}
}

// The first step's token opens nothing, and each step has another token
// [ASVS 7.2.4].
func TestSignIn_RotatesTheToken(t *testing.T) {
	ana := founded(t).hire("ana", chat.RoleAgent)
	_, first, err := ana.SignIn(ana.ctx(), "ANA", password, desk)
	ana.must(err)
	_, err = ana.Who(ana.ctx(), first)
	refused(t, "a token without a code", err, chat.KindDenied, "")
	_, err = ana.ChangePassword(ana.ctx(), first, password, "another quiet heron")
	refused(t, "a change without a code", err, chat.KindDenied, "")
	second, err := ana.Code(ana.ctx(), first, ana.code())
	ana.must(err)
	if first == second {
		t.Error("the token is the same")
	}
	_, err = ana.Code(ana.ctx(), first, ana.code())
	refused(t, "the first token again", err, chat.KindDenied, "")
	_, err = ana.Code(ana.ctx(), second, ana.code())
	refused(t, "a code for a session that is signed in", err, chat.KindDenied, "")

	_, first, err = ana.SignIn(ana.ctx(), "ana", password, desk)
	ana.must(err)
	ana.wait(5 * time.Minute)
	_, err = ana.Code(ana.ctx(), first, ana.code())
	refused(t, "a code after five minutes", err, chat.KindDenied, "")
}

// Unknown, suspended, invited and wrong have one answer.
func TestSignIn_SaysNothingAboutWhoExists(t *testing.T) {
	root := founded(t)
	ana := root.hire("ana", chat.RoleAgent)
	luis := root.hire("luis", chat.RoleAgent)
	root.must(root.Suspend(root.ctx(), luis.ID))
	_, _, err := root.Invite(root.ctx(), identity.Profile{Login: "zoe", Name: "Zoe", Role: chat.RoleAgent})
	root.must(err)
	var first error
	for _, c := range []struct{ login, password string }{
		{"ana", "wrong quiet herons"},
		{"luis", password},
		{"zoe", password},
		{"zoe", ""},
		{"nobody", password},
		{"no body!", password},
		{"", ""},
		{"ana", strings.Repeat("x", 5000)},
	} {
		_, token, err := ana.SignIn(ana.ctx(), c.login, c.password, desk)
		if first == nil {
			first = err
		}
		if token != "" || err == nil || err.Error() != first.Error() || chat.KindOf(err) != chat.KindDenied {
			t.Errorf("%q: %q %v", c.login, token, err)
		}
	}
}

// [ASVS 6.3.8]: every answer costs one hash.
func TestSignIn_ComputesOneHashWhoeverIsAsked(t *testing.T) {
	root := founded(t)
	root.hire("ana", chat.RoleAgent)
	luis := root.hire("luis", chat.RoleAgent)
	root.must(root.Suspend(root.ctx(), luis.ID))
	_, _, err := root.Invite(root.ctx(), identity.Profile{Login: "zoe", Name: "Zoe", Role: chat.RoleAgent})
	root.must(err)
	for _, c := range []struct{ name, login, password string }{
		{"right", "ana", password},
		{"wrong", "ana", "seven loud herons"},
		{"unknown", "nobody", password},
		{"no login", "no body", password},
		{"suspended", "luis", password},
		{"invited", "zoe", password},
	} {
		before := root.Hashes()
		_, _, err := root.SignIn(root.ctx(), c.login, c.password, desk)
		if n := root.Hashes() - before; n != 1 || (err == nil) != (c.name == "right") {
			t.Errorf("%s: %d hashes, %v", c.name, n, err)
		}
	}
}

// [ASVS 6.3.1]: at most ten guesses in an hour from everywhere, and the owner
// still signs in.
func TestSignIn_SlowsDownWhoGuessesAndNotTheOwner(t *testing.T) {
	ana := founded(t).hire("ana", chat.RoleAgent)
	for _, login := range []string{"ana", "nobody"} {
		guesses := 0
		for i := range 400 {
			address := strings.Replace(thief, "9", string(rune('0'+i%10)), 1) // ten addresses
			_, _, err := ana.SignIn(ana.ctx(), login, "wrong quiet herons", address)
			if chat.KindOf(err) == chat.KindDenied {
				guesses++
			} else if e := new(chat.Error); !errors.As(err, &e) || e.Kind != chat.KindRateLimited || e.Limit < 1 {
				t.Fatal(err)
			}
			ana.wait(9 * time.Second)
		}
		if guesses < 5 || guesses > 10 {
			t.Errorf("%s: %d guesses in an hour", login, guesses)
		}
	}
	ana.signIn(desk) // a place that she has signed in from
	for range 5 {
		_, _, err := ana.SignIn(ana.ctx(), "ana", "wrong quiet herons", thief)
		if chat.KindOf(err) == chat.KindRateLimited {
			break
		}
	}
	_, _, err := ana.SignIn(ana.ctx(), "ana", password, thief)
	refused(t, "a place that the thief has used up", err, chat.KindRateLimited, "wait")
}

func TestSignIn_OneAddressCannotTryEveryLogin(t *testing.T) {
	o := newOffice(t)
	refusedOnes := 0
	for i := range 100 {
		_, _, err := o.SignIn(o.ctx(), "user"+string(rune('a'+i%26))+string(rune('a'+i/26)), "wrong quiet herons", "2001:db8::"+string(rune('1'+i%9)))
		if chat.KindOf(err) == chat.KindRateLimited {
			refusedOnes++
		}
	}
	if refusedOnes != 70 {
		t.Errorf("%d of 100 were refused", refusedOnes)
	}
}

func TestCode_IsGuessedSlowly(t *testing.T) {
	ana := founded(t).hire("ana", chat.RoleAgent)
	step := func(from string) string {
		_, token, err := ana.SignIn(ana.ctx(), "ana", password, from)
		ana.must(err)
		return token
	}
	token, limited := step(thief), 0
	for range 20 {
		if _, err := ana.Code(ana.ctx(), token, "000000"); chat.KindOf(err) == chat.KindRateLimited {
			limited++
		}
	}
	if limited != 15 {
		t.Errorf("%d of 20 codes were refused", limited)
	}
	ana.signIn(desk) // the thief with the password does not keep her out
}

// [ASVS 7.3.1, 7.3.2]
func TestSession_Ends(t *testing.T) {
	root := founded(t)
	ana := root.hire("ana", chat.RoleAgent)
	use := func(m *member, token string, every time.Duration, long time.Duration) time.Duration {
		for at := time.Duration(0); ; at += every {
			if _, err := m.Who(m.ctx(), token); err != nil {
				return at
			}
			if at >= long {
				return -1
			}
			m.wait(every)
		}
	}
	for _, c := range []struct {
		name   string
		who    *member
		every  time.Duration
		wanted time.Duration
	}{
		{"an agent who works all day", ana, 10 * time.Minute, 12 * time.Hour},
		{"an agent who is away for half an hour", ana, 30 * time.Minute, 30 * time.Minute},
		{"an administrator who is away for a quarter", root, 15 * time.Minute, 15 * time.Minute},
		{"an administrator who works all day", root, 14 * time.Minute, 12*time.Hour + 8*time.Minute},
	} {
		token := c.who.signIn(desk)
		if got := use(c.who, token, c.every, 24*time.Hour); got != c.wanted {
			t.Errorf("%s: ended after %s, want %s", c.name, got, c.wanted)
		}
	}
}

func TestSession_ListAndEnd(t *testing.T) {
	root := founded(t)
	ana := root.hire("ana", chat.RoleAgent)
	second := ana.signIn(thief)
	list, err := ana.SessionsOf(ana.ctx(), ana.ID)
	ana.must(err)
	if len(list) != 2 || list[0].Address != desk || list[1].Hash != identity.SessionHash(second) {
		t.Fatalf("sessions: %+v", list)
	}
	refused(t, "another person's session", ana.EndSession(ana.ctx(), root.ID, list[1].Hash), chat.KindNotFound, "")
	ana.must(ana.EndSession(ana.ctx(), ana.ID, list[1].Hash))
	_, err = ana.Who(ana.ctx(), second)
	refused(t, "an ended session", err, chat.KindDenied, "")
	ana.must(ana.SignOut(ana.ctx(), ana.session))
	ana.must(ana.SignOut(ana.ctx(), "no token"))
	_, err = ana.Who(ana.ctx(), ana.session)
	refused(t, "after signing out", err, chat.KindDenied, "")
	if got := ana.ended[len(ana.ended)-1]; got.Account != ana.ID || !reflect.DeepEqual(got.Sessions, [][32]byte{identity.SessionHash(ana.session)}) {
		t.Errorf("told %+v", got)
	}
}

func TestChangePassword_EndsTheOtherSessions(t *testing.T) {
	ana := founded(t).hire("ana", chat.RoleAgent)
	other := ana.signIn(desk)
	_, err := ana.ChangePassword(ana.ctx(), ana.session, "wrong quiet herons", "nine loud pelicans")
	refused(t, "with a wrong old one", err, chat.KindDenied, "old password")
	_, err = ana.ChangePassword(ana.ctx(), ana.session, password, "Ana-Perez-2027")
	refused(t, "to her own name", err, chat.KindInvalid, "your name")
	fresh, err := ana.ChangePassword(ana.ctx(), ana.session, password, "nine loud pelicans")
	ana.must(err)
	for name, token := range map[string]string{"the old token": ana.session, "the other session": other} {
		_, err := ana.Who(ana.ctx(), token)
		refused(t, name, err, chat.KindDenied, "")
	}
	if _, err := ana.Who(ana.ctx(), fresh); err != nil {
		t.Error(err)
	}
	_, _, err = ana.SignIn(ana.ctx(), "ana", password, desk)
	refused(t, "the old password", err, chat.KindDenied, "")
	_, _, err = ana.SignIn(ana.ctx(), "ana", "nine loud pelicans", desk)
	ana.must(err)
}

// [ASVS 7.4.2]: everything ends, and who has sockets is told before the answer.
func TestSuspendAndRemove_EndEverything(t *testing.T) {
	for name, end := range map[string]func(*member, chat.StaffID) error{
		"suspend": func(root *member, id chat.StaffID) error { return root.Suspend(root.ctx(), id) },
		"remove":  func(root *member, id chat.StaffID) error { return root.Remove(root.ctx(), id) },
	} {
		t.Run(name, func(t *testing.T) {
			root := founded(t)
			ana := root.hire("ana", chat.RoleAgent)
			key := [32]byte{7}
			root.must(root.BindDevice(root.ctx(), ana.ID, key))
			ticket, err := root.Link(root.ctx(), ana.ID)
			root.must(err)
			_, half, err := ana.SignIn(ana.ctx(), "ana", password, desk)
			ana.must(err)
			root.ended = nil
			root.must(end(root, ana.ID))
			if len(root.ended) != 1 || root.ended[0].Account != ana.ID || len(root.ended[0].Sessions) != 2 || !reflect.DeepEqual(root.ended[0].Devices, [][32]byte{key}) {
				t.Errorf("told %+v", root.ended)
			}
			_, err = ana.Who(ana.ctx(), ana.session)
			refused(t, "the session", err, chat.KindDenied, "")
			_, err = ana.Code(ana.ctx(), half, ana.code())
			refused(t, "half a sign-in", err, chat.KindDenied, "")
			_, _, err = ana.Join(ana.ctx(), ticket.Token)
			refused(t, "the link", err, chat.KindNotFound, "")
			_, _, err = ana.SignIn(ana.ctx(), "ana", password, desk)
			refused(t, "signing in", err, chat.KindDenied, "")
			if name == "remove" {
				_, err := root.DeviceOf(root.ctx(), key)
				refused(t, "the device", err, chat.KindDenied, "belongs to nobody")
				refused(t, "removing again", end(root, ana.ID), chat.KindNotFound, "no such person")
				return
			}
			_, err = root.Link(root.ctx(), ana.ID)
			refused(t, "a link for who is suspended", err, chat.KindConflict, "suspended")
			root.must(root.Resume(root.ctx(), ana.ID))
			ana.signIn(desk)
		})
	}
}

func TestLastAdministrator_Stays(t *testing.T) {
	root := founded(t)
	agent := chat.RoleAgent
	try := func(name, piece string) {
		t.Helper()
		refused(t, name+": suspend", root.Suspend(root.ctx(), root.ID), chat.KindConflict, piece)
		refused(t, name+": remove", root.Remove(root.ctx(), root.ID), chat.KindConflict, piece)
		_, err := root.Edit(root.ctx(), root.ID, identity.Edit{Role: &agent})
		refused(t, name+": another role", err, chat.KindConflict, piece)
	}
	try("alone", "last administrator")
	_, _, err := root.Invite(root.ctx(), identity.Profile{Login: "second", Name: "Second", Role: chat.RoleAdministrator})
	root.must(err)
	try("with one who has not joined", "last administrator")
	root.hire("third", chat.RoleAdministrator)
	root.must(root.Suspend(root.ctx(), root.ID))
}

func TestEdit(t *testing.T) {
	root := founded(t)
	ana := root.hire("ana", chat.RoleAgent)
	name, role, departments := "Ana María", chat.RoleSupervisor, [][16]byte{{3}}
	root.ended = nil
	a, err := root.Edit(root.ctx(), ana.ID, identity.Edit{Name: &name})
	root.must(err)
	if a.Name != name || len(root.ended) != 0 {
		t.Errorf("%+v, told %+v", a, root.ended)
	}
	before := chat.RoleAgent
	_, err = root.Edit(root.ctx(), ana.ID, identity.Edit{Role: &before, Departments: &departments})
	root.must(err)
	if len(root.ended) != 1 || len(root.ended[0].Sessions) != 0 {
		t.Errorf("other departments cut and end nothing: %+v", root.ended)
	}
	if _, err := ana.Who(ana.ctx(), ana.session); err != nil {
		t.Error(err)
	}
	a, err = root.Edit(root.ctx(), ana.ID, identity.Edit{Role: &role})
	root.must(err)
	if a.Role != role || a.Name != name || !reflect.DeepEqual(a.Departments, departments) {
		t.Errorf("%+v", a)
	}
	_, err = ana.Who(ana.ctx(), ana.session)
	refused(t, "a session of the other role", err, chat.KindDenied, "")
	visitor, empty, long, many := chat.RoleVisitor, "", strings.Repeat("x", 81), 101
	for _, c := range []struct {
		field string
		limit int64
		edit  identity.Edit
	}{
		{"role", 0, identity.Edit{Role: &visitor}},
		{"name", 80, identity.Edit{Name: &empty}},
		{"title", 80, identity.Edit{Title: &long}},
		{"cap", 100, identity.Edit{Cap: &many}},
	} {
		_, err := root.Edit(root.ctx(), ana.ID, c.edit)
		if e := new(chat.Error); !errors.As(err, &e) || e.Kind != chat.KindInvalid || e.Field != c.field || e.Limit != c.limit {
			t.Errorf("%s: %v", c.field, err)
		}
	}
}

func TestInvite_Refuses(t *testing.T) {
	root := founded(t)
	good := identity.Profile{Login: "ana", Name: "Ana", Role: chat.RoleAgent}
	for field, spoil := range map[string]func(*identity.Profile){
		"login":       func(p *identity.Profile) { p.Login = "a b" },
		"name":        func(p *identity.Profile) { p.Name = "Ana\u202e" },
		"title":       func(p *identity.Profile) { p.Title = "a\nb" },
		"role":        func(p *identity.Profile) { p.Role = chat.RoleSystem },
		"departments": func(p *identity.Profile) { p.Departments = make([][16]byte, 65) },
		"cap":         func(p *identity.Profile) { p.Cap = -1 },
	} {
		p := good
		spoil(&p)
		_, _, err := root.Invite(root.ctx(), p)
		if e := new(chat.Error); !errors.As(err, &e) || e.Kind != chat.KindInvalid || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, _, err := root.Invite(root.ctx(), identity.Profile{Login: "ROOT", Name: "Another", Role: chat.RoleAgent})
	refused(t, "a login that is taken", err, chat.KindConflict, "somebody has this login")
}

func TestDevice_BelongsToOneAccount(t *testing.T) {
	root := founded(t)
	ana, luis := root.hire("ana", chat.RoleAgent), root.hire("luis", chat.RoleAgent)
	key := [32]byte{1}
	root.must(root.BindDevice(root.ctx(), ana.ID, key))
	root.must(root.BindDevice(root.ctx(), ana.ID, key))
	refused(t, "another's device", root.BindDevice(root.ctx(), luis.ID, key), chat.KindConflict, "somebody else")
	refused(t, "nobody's account", root.BindDevice(root.ctx(), chat.NewID[chat.Staff](root.now()), [32]byte{2}), chat.KindNotFound, "")
	if owner, err := root.DeviceOf(root.ctx(), key); err != nil || owner != ana.ID {
		t.Errorf("%v %v", owner, err)
	}
	_, err := root.DeviceOf(root.ctx(), [32]byte{9})
	refused(t, "a device of nobody", err, chat.KindDenied, "")
	people, err := root.People(root.ctx())
	root.must(err)
	if people[0].Login != "ana" || people[0].Devices != 1 || people[1].Devices != 0 {
		t.Errorf("%+v", people)
	}
	for n := range byte(40) {
		err = root.BindDevice(root.ctx(), luis.ID, [32]byte{2, n})
	}
	refused(t, "the 33rd device", err, chat.KindRateLimited, "too many")
}

func TestAdmit_SignsInWithoutAPassword(t *testing.T) {
	root := founded(t)
	a, _, err := root.Invite(root.ctx(), identity.Profile{Login: "ana", Name: "Ana", Role: chat.RoleAgent})
	root.must(err)
	token, err := root.Admit(root.ctx(), a.ID, desk)
	root.must(err)
	if got, err := root.Who(root.ctx(), token); err != nil || got.Login != "ana" {
		t.Errorf("%+v %v", got, err)
	}
	_, _, err = root.SignIn(root.ctx(), "ana", "", desk)
	refused(t, "an empty password of somebody without one", err, chat.KindDenied, "")
}

// What the database's files hold is no password, token, code or secret.
func TestDatabase_HoldsNoSecrets(t *testing.T) {
	ana := founded(t).hire("ana", chat.RoleAgent)
	token := ana.signIn(desk)
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(ana.secret)
	ana.must(err)
	files, err := filepath.Glob(filepath.Join(ana.folder, "*"))
	ana.must(err)
	var all []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		ana.must(err)
		all = append(all, content...)
	}
	if !bytes.Contains(all, []byte("Ana Pérez")) {
		t.Fatal("the files that were read are not the database")
	}
	for name, text := range map[string][]byte{
		"password": []byte(password), "token": []byte(token), "secret": secret, "secret as text": []byte(ana.secret),
		"recovery code": []byte(ana.recovery[0]), "recovery code as it is hashed": []byte(strings.ReplaceAll(ana.recovery[0], "-", "")),
	} {
		if bytes.Contains(all, text) {
			t.Errorf("the database holds the %s", name)
		}
	}
}
