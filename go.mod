module github.com/aldaba-chat/aldaba

go 1.26.4

// npm packages may carry Go files of their own; they are no packages of ours.
ignore ./web/node_modules

require (
	github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
	github.com/go-json-experiment/json v0.0.0-20260820222146-c27c302e5fc3
)
