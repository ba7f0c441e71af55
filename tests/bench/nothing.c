/* SPDX-License-Identifier: MIT */
/* The least that a program can do; linked like a static mizzle. */
#include <config.h>

int main(void)
{
	return 0;
}
