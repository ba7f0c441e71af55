# shellcheck shell=bash disable=SC1003,SC2086,SC2088
# SPDX-License-Identifier: MIT
# Completion of mizzle in bash, printed by: mizzle completion bash

# _mizzle_option WORD: sets name, and takes to what its value is: nothing for
# an option without one; repeats if it may be given more than once.
_mizzle_option()
{
	repeats=''
	case $1 in
@OPTIONS@
	*) return 1 ;;
	esac
}

# _mizzle_command WORD: sets options to those that not every command takes,
# argument to what stands behind the command, and most to how many of that.
_mizzle_command()
{
	globals='@GLOBALS@'
	commands='@COMMANDS@'
	case $1 in
	'') options='' argument=commands most=1 ;;
@ARGUMENTS@
	*) return 1 ;;
	esac
}

# _mizzle_plain TEXT: sets plain to what the shell would read, quote to the
# quote that is still open, and before to what stands before that.
_mizzle_plain()
{
	local text=$1 c
	plain='' quote='' before=''
	while [[ $text ]]; do
		c=${text:0:1} text=${text:1}
		case $quote$c in
		\\ | '"\')
			plain+=${text:0:1} text=${text:1}
			;;
		\" | \')
			quote=$c before=$plain
			;;
		'""' | "''")
			quote='' before=''
			;;
		*)
			plain+=$c
			;;
		esac
	done
}

# Sets words and cur.  COMP_WORDS is cut at =, : and @, too, and its last word
# may go on behind the cursor; a blank says where a word ends.
_mizzle_split()
{
	local i word joined line=${COMP_LINE-} rest
	rest=${line:0:${COMP_POINT:-${#line}}}
	words=() cur=''
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]-}
		joined=''
		((i < 2)) || [[ $rest == [[:space:]]* ]] || [[ $word != [=:@]* &&
			${COMP_WORDS[i - 1]} != *[=:@] ]] || joined=1
		if [[ $line ]]; then
			rest=${rest#"${rest%%[![:space:]]*}"}
			((i < COMP_CWORD)) || word=$rest
			rest=${rest#"$word"}
		fi
		if [[ $joined ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
	done
	cur=${words[-1]}
	unset 'words[-1]'
}

# _mizzle_folder OPTION VALUE: what says where the folder is is kept.
_mizzle_folder()
{
	local value=$2
	case $1 in
	@FOLDERS@)
		[[ $value != '~/'* ]] || value=$HOME/${value:2}
		where+=("$1=$value")
		;;
	esac
}

# _mizzle_letters WORD: options of one letter each, and perhaps a value.
_mizzle_letters()
{
	local word=$1
	while [[ $word ]]; do
		_mizzle_option "-${word:0:1}" || return
		[[ $repeats ]] || given+="$name "
		word=${word:1}
		if [[ $takes ]]; then
			[[ $word ]] || expects=$takes
			return
		fi
	done
}

# _mizzle_read WORD: one that stands before what is being completed.
_mizzle_read()
{
	local plain quote before
	_mizzle_plain "$1"
	if [[ $expects ]]; then
		expects=''
		_mizzle_folder "$name" "$plain"
	elif [[ $1 == [\<\>]* || $1 == [0-9][\<\>]* ]]; then
		name='' expects=files
	elif [[ $ended || $plain != -?* ]]; then
		if [[ $command ]]; then
			count=$((count + 1))
		else
			command=$plain
		fi
	elif [[ $plain == -- ]]; then
		ended=1
	elif [[ $plain != --* ]]; then
		_mizzle_letters "${plain:1}"
	elif _mizzle_option "${plain%%=*}"; then
		[[ $repeats ]] || given+="$name "
		if [[ $plain == *=* ]]; then
			_mizzle_folder "$name" "${plain#*=}"
		else
			expects=$takes
		fi
	fi
}

# _mizzle_offer CANDIDATE...: those that begin with what is typed, cut as
# readline wants them: it replaces what stands behind a quote, = or :, or what
# begins with @.
_mizzle_offer()
{
	local word c cut=$before rest=$plain
	if [[ ! $quote ]]; then
		for c in = :; do
			[[ ${COMP_WORDBREAKS-} != *"$c"* ]] || rest=${rest##*"$c"}
		done
		[[ ${COMP_WORDBREAKS-} != *@* || $rest != *@* ]] ||
			rest=@${rest##*@}
		cut=${plain%"$rest"}
	fi
	for word; do
		word=$prefix$word
		[[ $word == "$plain"* ]] || continue
		word=${word#"$cut"}
		[[ $quote || $files ]] || printf -v word %q "$word"
		COMPREPLY+=("$word")
	done
}

# _mizzle_files -f|-d: files, or folders; readline quotes them.
_mizzle_files()
{
	local typed=${plain#"$prefix"} found files=1
	[[ ! $typed ]] || printf -v typed %q "$typed"
	[[ $typed != '\~'* ]] || typed=${typed:1}
	mapfile -t found < <(compgen "$1" -- "$typed")
	compopt -o filenames 2>/dev/null
	_mizzle_offer "${found[@]}"
}

# _mizzle_tags: the program knows which folder is meant.
_mizzle_tags()
{
	local found
	[[ $program != '~/'* ]] || program=$HOME/${program:2}
	mapfile -t found < <("$program" completion tags "${where[@]}" \
		2>/dev/null </dev/null)
	_mizzle_offer "${found[@]}"
}

# _mizzle_value KIND [WORD...]
_mizzle_value()
{
	local files=''
	case $1 in
	files) _mizzle_files -f ;;
	folders) _mizzle_files -d ;;
	tags) _mizzle_tags ;;
	commands) _mizzle_offer $commands ;;
	words) _mizzle_offer "${@:2}" ;;
	esac
}

# _mizzle_options: those that are not given yet.
_mizzle_options()
{
	local option list=()
	for option in $options $globals; do
		[[ $given == *" $option "* ]] || list+=("$option")
	done
	_mizzle_value words "${list[@]}"
}

_mizzle()
{
	local program=${1:-mizzle} words cur plain quote before prefix=''
	local name takes repeats options argument most globals commands
	local command='' given=' ' where=() count=0 ended='' expects='' word
	local IFS=$' \t\n'

	COMPREPLY=()
	_mizzle_split
	for word in "${words[@]:1}"; do
		_mizzle_read "$word"
	done
	_mizzle_plain "$cur"
	_mizzle_command "$command" || return 0
	if [[ $expects ]]; then
		_mizzle_value $expects
	elif [[ ! $ended && $plain == --*=* ]]; then
		prefix=${plain%%=*}=
		! _mizzle_option "${plain%%=*}" || _mizzle_value $takes
	elif [[ ! $ended && $plain == -* ]]; then
		_mizzle_options
	elif ((count < most)); then
		_mizzle_value $argument
	elif [[ ! $ended && ! $plain ]]; then
		_mizzle_options
	fi
}

complete -F _mizzle mizzle
