#compdef mizzle
# SPDX-License-Identifier: MIT
# Completion of mizzle in zsh, printed by: mizzle completion zsh

_mizzle_commands()
{
	local -a commands=(
@COMMANDS@
	)
	_describe -t commands command commands
}

# _mizzle_specs COMMAND: sets specs to what _arguments is to know of it.
_mizzle_specs()
{
	specs=(
@GLOBALS@
		'1: :_mizzle_commands'
	)
	case $1 in
@ARGUMENTS@
	esac
}

# The tags of the folder that the command line means, in their order.
_mizzle_tags()
{
	local program=${(Q)words[1]/#\~\//$HOME/} expl
	local -a tags
	tags=("${(@f)$($program completion tags $where 2>/dev/null </dev/null)}")
	_wanted -V tags expl tag compadd -a tags
}

# _mizzle_folder OPTION VALUE: what says where the folder is is kept.
_mizzle_folder()
{
	[[ $1 != (@FOLDERS@) ]] || where+=("$1=${2/#\~\//$HOME/}")
}

# _mizzle_read WORD: one that stands before what is being completed.
_mizzle_read()
{
	if [[ -n $expects ]]; then
		_mizzle_folder $expects $1
		expects=
	elif [[ -n $ended || $1 != -?* ]]; then
		[[ -n $command ]] || command=$1
	elif [[ $1 == -- ]]; then
		ended=$i
	elif [[ $1 == --*=* ]]; then
		_mizzle_folder ${1%%=*} ${1#*=}
	elif [[ $1 == (@VALUED@) ]]; then
		expects=$1
	fi
}

_mizzle()
{
	setopt localoptions extendedglob
	local word command= ended= expects=
	local -a where specs
	integer i

	for word in "${(@Q)words[2,CURRENT-1]}"; do
		(( ++i ))
		_mizzle_read "$word"
	done
	_mizzle_specs "$command"
	if [[ -n $ended ]]; then
		# behind -- there are only arguments, and -- is none
		words=("${(@)words[1,$ended]}" "${(@)words[ended+2,-1]}")
		(( CURRENT-- ))
		specs=("${(@M)specs:#([0-9]|\*):*}")
	fi
	_arguments -s -S : $specs
}

if [[ $funcstack[1] == _mizzle ]]; then
	_mizzle "$@"
else
	compdef _mizzle mizzle
fi
