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
        case @VALUED@
            return 0
        case '--*'
            return 1
        case '-?*'
            string match -qr -- '@LETTERS@' $argv[1]
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
                case @FOLDERS@
                    set option $token
                case @FOLDERVALUES@
                    set -a where $token
            end
        end
    end
    set -l program (__mizzle_home $tokens[1])
    $program completion tags $where 2>/dev/null </dev/null
end

complete -c mizzle -f
@COMMANDS@
@OPTIONS@
