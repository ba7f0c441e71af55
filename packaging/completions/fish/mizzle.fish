# SPDX-License-Identifier: MIT
# Completion of mizzle in fish, printed by: mizzle completion fish

# The words before what is being completed, up to --.
function __mizzle_tokens
    for token in (commandline -opc)[2..]
        test "$token" != -- || return 0
        printf '%s\n' $token
    end
end

# __mizzle_awaits TOKEN: is the next word its value?
function __mizzle_awaits
    switch $argv[1]
        case --url --url-file --dir --config --schema --table --env-file --color --trace --wait --transaction --to --out-of-order --steps --lock-wait --lock-timeout --lock-retries --statement-timeout --resume --approve --fail-on --layout --command --output --oci --tag --label --from-binary --extract
            return 0
        case '--*'
            return 1
        case '-?*'
            string match -qr -- '^-[qvhVy1]*[co]$' $argv[1]
        case '*'
            return 1
    end
end

# The command, and what stands behind it.
function __mizzle_words
    set -l awaited
    set -l ended
    for token in (commandline -opc)[2..]
        if set -q awaited[1]
            set awaited
        else if set -q ended[1]
            printf '%s\n' $token
        else if test "$token" = --
            set ended yes
        else if __mizzle_awaits $token
            set awaited yes
        else if not string match -q -- '-?*' $token
            printf '%s\n' $token
        end
    end
end

# __mizzle_is COMMAND...: is it one of these?
function __mizzle_is
    set -l words (__mizzle_words)
    contains -- "$words[1]" $argv
end

# __mizzle_at N COMMAND...: it is, and the word behind it is the Nth.
function __mizzle_at
    set -l words (__mizzle_words)
    test (count $words) -eq $argv[1]; and contains -- "$words[1]" $argv[2..]
end

# __mizzle_lacks OPTION [LETTER]: it is not given yet, or its value comes now.
function __mizzle_lacks
    set -l awaited
    set -l given
    for token in (__mizzle_tokens)
        if set -q awaited[1]
            set awaited
        else
            not __mizzle_awaits $token
            or set awaited yes
            string match -q -- "--$argv[1]=*" $token
            and return 1
            test "$token" = "--$argv[1]"
            or begin
                set -q argv[2]
                and string match -qr -- "^-[^-]*$argv[2]" $token
            end
            and set given yes
        end
    end
    not set -q given[1]; or set -q awaited[1]
end

function __mizzle_home
    string replace -r -- '^~/' "$HOME/" $argv[1]
end

function __mizzle_folders
    __fish_complete_directories (commandline -ct | string replace -r -- '^--[a-z-]+=' '')
end

# The tags of the folder that the command line means.
function __mizzle_tags
    set -l tokens (commandline -opc)
    set -l where
    set -l option
    for token in (__mizzle_tokens)
        if set -q option[1]
            set -a where $option=(__mizzle_home $token)
            set option
        else
            switch $token
                case --dir --config --env-file
                    set option $token
                case --dir=\* --config=\* --env-file=\*
                    set -a where $token
            end
        end
    end
    set -l program (__mizzle_home $tokens[1])
    $program completion tags $where 2>/dev/null </dev/null
end

complete -c mizzle -f
complete -c mizzle -n '__mizzle_is ""' -a migrate -d 'apply what is pending, each migration exactly once'
complete -c mizzle -n '__mizzle_is ""' -a up -d 'apply what is pending, each migration exactly once'
complete -c mizzle -n '__mizzle_is ""' -a baseline -d 'record what is pending as applied, and run none of it'
complete -c mizzle -n '__mizzle_is ""' -a rollback -d 'run down scripts, newest first, and forget what they undo'
complete -c mizzle -n '__mizzle_is ""' -a repair -d 'bring the history in line with the folder: asks, or --yes'
complete -c mizzle -n '__mizzle_is ""' -a status -d 'list every migration with its state'
complete -c mizzle -n '__mizzle_is ""' -a check -d 'check the folder alone, without a database'
complete -c mizzle -n '__mizzle_is ""' -a verify -d 'exit 0 only if history and folder agree and nothing is pending'
complete -c mizzle -n '__mizzle_is ""' -a plan -d 'show what migrate would do, and change nothing'
complete -c mizzle -n '__mizzle_is ""' -a new -d 'make an empty migration, ready for drizzle-kit to go on from'
complete -c mizzle -n '__mizzle_is ""' -a locks -d 'say who migrates, who is in the way, and how to end them'
complete -c mizzle -n '__mizzle_is ""' -a exec -d 'run SQL scripts, or stdin, as psql would with ON_ERROR_STOP'
complete -c mizzle -n '__mizzle_is ""' -a bundle -d 'make an executable that holds the folder'
complete -c mizzle -n '__mizzle_is ""' -a ping -d 'connect, and say what the server is'
complete -c mizzle -n '__mizzle_is ""' -a wait -d 'wait until the server accepts logins: 60 s, or --wait'
complete -c mizzle -n '__mizzle_is ""' -a completion -d 'print the script that completes command lines in a shell'
complete -c mizzle -n '__mizzle_is ""' -a help -d 'explain a command'
complete -c mizzle -n '__mizzle_at 1 baseline' -xka '(__mizzle_tags)'
complete -c mizzle -n '__mizzle_is exec' -F
complete -c mizzle -n '__mizzle_at 1 completion' -xa 'bash zsh fish'
complete -c mizzle -n '__mizzle_at 1 help' -a migrate -d 'apply what is pending, each migration exactly once'
complete -c mizzle -n '__mizzle_at 1 help' -a up -d 'apply what is pending, each migration exactly once'
complete -c mizzle -n '__mizzle_at 1 help' -a baseline -d 'record what is pending as applied, and run none of it'
complete -c mizzle -n '__mizzle_at 1 help' -a rollback -d 'run down scripts, newest first, and forget what they undo'
complete -c mizzle -n '__mizzle_at 1 help' -a repair -d 'bring the history in line with the folder: asks, or --yes'
complete -c mizzle -n '__mizzle_at 1 help' -a status -d 'list every migration with its state'
complete -c mizzle -n '__mizzle_at 1 help' -a check -d 'check the folder alone, without a database'
complete -c mizzle -n '__mizzle_at 1 help' -a verify -d 'exit 0 only if history and folder agree and nothing is pending'
complete -c mizzle -n '__mizzle_at 1 help' -a plan -d 'show what migrate would do, and change nothing'
complete -c mizzle -n '__mizzle_at 1 help' -a new -d 'make an empty migration, ready for drizzle-kit to go on from'
complete -c mizzle -n '__mizzle_at 1 help' -a locks -d 'say who migrates, who is in the way, and how to end them'
complete -c mizzle -n '__mizzle_at 1 help' -a exec -d 'run SQL scripts, or stdin, as psql would with ON_ERROR_STOP'
complete -c mizzle -n '__mizzle_at 1 help' -a bundle -d 'make an executable that holds the folder'
complete -c mizzle -n '__mizzle_at 1 help' -a ping -d 'connect, and say what the server is'
complete -c mizzle -n '__mizzle_at 1 help' -a wait -d 'wait until the server accepts logins: 60 s, or --wait'
complete -c mizzle -n '__mizzle_at 1 help' -a completion -d 'print the script that completes command lines in a shell'
complete -c mizzle -n '__mizzle_at 1 help' -a help -d 'explain a command'
complete -c mizzle -n '__mizzle_lacks url' -l url -x -d 'where the database is; else libpq\'s PG* variables say it'
complete -c mizzle -n '__mizzle_lacks url-file' -l url-file -rF -d 'read the URL from a file, such as a mounted secret'
complete -c mizzle -n '__mizzle_lacks ignore-unknown-params' -l ignore-unknown-params -d 'ignore keys of the URL that nobody knows, with a notice'
complete -c mizzle -n '__mizzle_lacks dir' -l dir -xa '(__mizzle_folders)' -d 'the folder with the migrations'
complete -c mizzle -n '__mizzle_lacks config' -l config -rF -d 'the Drizzle configuration, else drizzle.config.* if there'
complete -c mizzle -n '__mizzle_lacks schema' -l schema -x -d 'the schema of the history table'
complete -c mizzle -n '__mizzle_lacks table' -l table -x -d 'the history table'
complete -c mizzle -n '__mizzle_lacks env-file' -l env-file -rF -d 'read variables that are not set from FILE, else .env if there'
complete -c mizzle -n '__mizzle_lacks json' -l json -d 'print results as JSON, one object a line'
complete -c mizzle -n '__mizzle_lacks quiet q' -s q -l quiet -d 'print errors and results only'
complete -c mizzle -n '__mizzle_lacks verbose v' -s v -l verbose -d 'name each statement and its time'
complete -c mizzle -n '__mizzle_lacks color' -l color -xa 'auto always never' -d 'colours: auto, always or never'
complete -c mizzle -n '__mizzle_lacks trace' -l trace -rF -d 'write every protocol message to FILE, secrets masked; - is stderr'
complete -c mizzle -n '__mizzle_lacks wait' -l wait -x -d 'keep trying until the server accepts connections'
complete -c mizzle -n '__mizzle_lacks help h' -s h -l help -d 'explain the command'
complete -c mizzle -n '__mizzle_lacks version V' -s V -l version -d 'print the version'
complete -c mizzle -n '__mizzle_is migrate up plan; and __mizzle_lacks transaction' -l transaction -xa 'each all' -d 'each: one transaction a migration; all: one around all'
complete -c mizzle -n '__mizzle_is migrate up rollback plan; and __mizzle_lacks to' -l to -xka '(__mizzle_tags)' -d 'stop after this migration; rollback: go back to it, it stays'
complete -c mizzle -n '__mizzle_is migrate up baseline rollback plan; and __mizzle_lacks allow-modified' -l allow-modified -d 'go on although applied files were edited'
complete -c mizzle -n '__mizzle_is migrate up baseline rollback plan; and __mizzle_lacks allow-missing' -l allow-missing -d 'go on although applied files were deleted'
complete -c mizzle -n '__mizzle_is migrate up baseline plan; and __mizzle_lacks out-of-order' -l out-of-order -xa 'auto apply refuse skip' -d 'pending migrations before applied ones: auto, apply, refuse or skip'
complete -c mizzle -n '__mizzle_is rollback; and __mizzle_lacks steps' -l steps -x -d 'how many of the newest to roll back'
complete -c mizzle -n '__mizzle_is migrate up baseline rollback repair; and __mizzle_lacks lock-wait' -l lock-wait -x -d 'how long to wait for another migrator'
complete -c mizzle -n '__mizzle_is migrate up rollback exec; and __mizzle_lacks lock-timeout' -l lock-timeout -x -d 'lock_timeout of each statement; 0 is the server\'s'
complete -c mizzle -n '__mizzle_is migrate up rollback; and __mizzle_lacks lock-retries' -l lock-retries -x -d 'how often a migration that ran into it is tried again'
complete -c mizzle -n '__mizzle_is migrate up rollback exec; and __mizzle_lacks statement-timeout' -l statement-timeout -x -d 'cancel a statement that takes longer; 0 is never'
complete -c mizzle -n '__mizzle_is migrate up baseline rollback; and __mizzle_lacks no-monitor' -l no-monitor -d 'open no second connection to see who blocks a long statement'
complete -c mizzle -n '__mizzle_is migrate up; and __mizzle_lacks resume' -l resume -xa 'refuse again skip' -d 'a CALL that was cut off, and may be done or not: refuse, again or skip'
complete -c mizzle -n '__mizzle_is migrate up rollback repair; and __mizzle_lacks dry-run' -l dry-run -d 'show what would be done, and do nothing'
complete -c mizzle -n '__mizzle_is repair; and __mizzle_lacks yes y' -s y -l yes -d 'do it without asking'
complete -c mizzle -n '__mizzle_is migrate up; and __mizzle_lacks require-approval' -l require-approval -d 'refuse destructive statements without --approve'
complete -c mizzle -n '__mizzle_is migrate up; and __mizzle_lacks approve' -l approve -x -d 'go on only if this is the plan, as plan printed it'
complete -c mizzle -n '__mizzle_is status; and __mizzle_lacks exit-code' -l exit-code -d 'exit with 7 when something is pending'
complete -c mizzle -n '__mizzle_is check; and __mizzle_lacks fail-on' -l fail-on -xa 'error warning none' -d 'findings that fail the check: error, warning or none'
complete -c mizzle -n '__mizzle_is ping; and __mizzle_lacks print-config' -l print-config -d 'connect to nothing; print what was understood'
complete -c mizzle -n '__mizzle_is ping; and __mizzle_lacks show-secrets' -l show-secrets -d 'with --print-config: print the password too'
complete -c mizzle -n '__mizzle_is new; and __mizzle_lacks layout' -l layout -xa 'auto journal folders plain' -d 'of a folder with nothing in it: auto, journal, folders or plain'
complete -c mizzle -n '__mizzle_is exec' -s c -l command -x -d 'run this in place of files; may be given more than once'
complete -c mizzle -n '__mizzle_is exec; and __mizzle_lacks single-transaction 1' -s 1 -l single-transaction -d 'one transaction around everything: all of it, or nothing'
complete -c mizzle -n '__mizzle_is exec; and __mizzle_lacks csv' -l csv -d 'print results as CSV'
complete -c mizzle -n '__mizzle_is bundle; and __mizzle_lacks output o' -s o -l output -rF -d 'write an executable that holds the folder'
complete -c mizzle -n '__mizzle_is bundle; and __mizzle_lacks oci' -l oci -rF -d 'write an image of it: an OCI archive'
complete -c mizzle -n '__mizzle_is bundle; and __mizzle_lacks tag' -l tag -x -d 'with --oci: what the image is called'
complete -c mizzle -n '__mizzle_is bundle' -l label -x -d 'with --oci: a label of it; may be given more than once'
complete -c mizzle -n '__mizzle_is bundle; and __mizzle_lacks from-binary' -l from-binary -rF -d 'the mizzle to put the folder into, such as one for another machine'
complete -c mizzle -n '__mizzle_is bundle; and __mizzle_lacks list' -l list -d 'list the files that a bundle holds, or would'
complete -c mizzle -n '__mizzle_is bundle; and __mizzle_lacks extract' -l extract -xa '(__mizzle_folders)' -d 'write the files of this bundle into DIR, over none that is there'
