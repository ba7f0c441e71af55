# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# foreign HOST: for configure --host=HOST, where its libraries are, which
# FOREIGN_HOME holds as another machine has them in its root.
foreign() {
	PKG_CONFIG_LIBDIR=$FOREIGN_HOME/usr/lib/$1/pkgconfig
	PKG_CONFIG_SYSROOT_DIR=$FOREIGN_HOME
	CPPFLAGS="-isystem $FOREIGN_HOME/usr/include"
	CPPFLAGS="$CPPFLAGS -isystem $FOREIGN_HOME/usr/include/$1"
	LDFLAGS=-L$FOREIGN_HOME/usr/lib/$1
	export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR CPPFLAGS LDFLAGS
}
