// SPDX-License-Identifier: MIT
/*
 * Nothing: what a process of this C library takes, whatever it is for. It reads its stdin to the
 * end, as crun fails when a hook ends before all of the state is written.
 */
#include <unistd.h>

int main(void)
{
	char state[4096];

	while (read(0, state, sizeof(state)) > 0)
		;
	return 0;
}
