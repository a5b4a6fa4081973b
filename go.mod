module github.com/aldaba-chat/aldaba

go 1.26.0

// npm packages may carry Go files of their own; they are no packages of ours.
ignore ./web/node_modules
