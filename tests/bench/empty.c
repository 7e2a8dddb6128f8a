// SPDX-License-Identifier: MIT
/* Nothing: what a process of this C library takes, whatever it is for. */
int main(void)
{
	return 0;
}
