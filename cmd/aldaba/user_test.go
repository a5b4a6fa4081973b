package main

import (
	"context"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aldaba-chat/aldaba/internal/server"
)

func TestUser_Scripts(t *testing.T) {
	type key struct{}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/user",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ALDABA_FOLDER", filepath.Join(e.WorkDir, "data"))
			e.Values[key{}] = new(*server.Server)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// serve runs a server on the data folder, halt stops it.
			"serve": func(ts *testscript.TestScript, _ bool, _ []string) {
				s, err := server.Start(context.Background(), server.Options{
					Address: "127.0.0.1:0", Folder: ts.MkAbs("data"), Pages: fstest.MapFS{}, Version: "test",
				})
				ts.Check(err)
				ts.Defer(func() { _ = s.Stop(context.Background()) })
				*ts.Value(key{}).(**server.Server) = s
			},
			"halt": func(ts *testscript.TestScript, _ bool, _ []string) {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				ts.Check((*ts.Value(key{}).(**server.Server)).Stop(ctx))
			},
		},
	})
}
