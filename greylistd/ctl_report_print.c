/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"

#include "greylistd/ctl_print.h"
#include "greylistd/ctl_report_print.h"

/* Room for a value with each byte escaped. */
#define CELL_SIZE 2048

static int
compare(const void *a, const void *b)
{
	const struct ctl_report_triplet *left =
	    *(struct ctl_report_triplet *const *)a;
	const struct ctl_report_triplet *right =
	    *(struct ctl_report_triplet *const *)b;
	int order;

	if (left->ip.family != right->ip.family)
		return left->ip.family < right->ip.family ? -1 : 1;
	order = memcmp(left->ip.bytes, right->ip.bytes, sizeof(left->ip.bytes));
	return order != 0 ? order : strcmp(left->key, right->key);
}

/* Both lines of one attempt are one attempt. */
static unsigned long
tries(const struct ctl_report_triplet *triplet)
{
	return triplet->refused > triplet->deferred ? triplet->refused
						    : triplet->deferred;
}

static bool
same_network(const struct ctl_report_triplet *a,
    const struct ctl_report_triplet *b, const struct key_config *key)
{
	struct ip left = a->ip, right = b->ip;

	ip_mask(
	    &left, left.family == IP_V4 ? key->ipv4_prefix : key->ipv6_prefix);
	ip_mask(&right,
	    right.family == IP_V4 ? key->ipv4_prefix : key->ipv6_prefix);
	return ip_equal(&left, &right);
}

static void
print_separator(const char *text)
{
	for (; *text != '\0'; text++) {
		char c = *text;

		if (c == '\\' &&
		    (text[1] == 'n' || text[1] == 't' || text[1] == '\\')) {
			text++;
			c = *text == 'n' ? '\n' : *text == 't' ? '\t' : '\\';
		}
		putchar(c);
	}
}

static const char *
cell(const char *text, char buf[static CELL_SIZE])
{
	struct str s;

	str_init(&s, buf, CELL_SIZE);
	str_add_escaped(&s, text, strlen(text), "");
	return buf;
}

static void
print_single(const struct ctl_report_triplet *triplet,
    const struct ctl_report_style *style)
{
	char address[IP_TEXT_SIZE], buf[CELL_SIZE];
	char gap = style->tab ? '\t' : ' ';

	if (style->time)
		printf("%s%c", cell(triplet->time, buf), gap);
	if (style->tries)
		printf("%lu%c", tries(triplet), gap);
	printf("%*s%c", style->tab ? 0 : 15, ip_format(&triplet->ip, address),
	    gap);
	printf("%s%c", cell(triplet->name, buf), gap);
	printf("%s%c",
	    triplet->sender[0] == '\0' ? "<>" : cell(triplet->sender, buf),
	    gap);
	puts(cell(triplet->recipient, buf));
}

static void
print_grouped(const struct ctl_report_triplet *triplet, bool new_client,
    const struct ctl_report_style *style)
{
	char address[IP_TEXT_SIZE], buf[CELL_SIZE];

	if (new_client)
		printf("%-77s %15s\n", cell(triplet->name, buf),
		    ip_format(&triplet->ip, address));
	if (style->tries)
		printf("       %2lu ", tries(triplet));
	else
		printf("          ");
	printf(" %40s ",
	    triplet->sender[0] == '\0' ? "<>" : cell(triplet->sender, buf));
	printf(" %40s \n", cell(triplet->recipient, buf));
}

static void
print_json(struct ctl_report_triplet **all, size_t count)
{
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '[');
	for (size_t i = 0; i < count; i++) {
		const struct ctl_report_triplet *triplet = all[i];
		char address[IP_TEXT_SIZE];

		ip_format(&triplet->ip, address);
		json_open(&json, NULL, '{');
		json_text(&json, "address", address, strlen(address));
		json_text(&json, "name", triplet->name, strlen(triplet->name));
		json_text(
		    &json, "sender", triplet->sender, strlen(triplet->sender));
		json_text(&json, "recipient", triplet->recipient,
		    strlen(triplet->recipient));
		json_text(&json, "time", triplet->time, strlen(triplet->time));
		json_int(&json, "tries", (int64_t)tries(triplet));
		json_close(&json);
	}
	json_close(&json);
}

void
ctl_report_print(struct ctl_report_triplet **all, size_t count,
    const struct key_config *key, const struct ctl_report_style *style,
    bool json)
{
	if (count > 1)
		qsort(all, count, sizeof(all[0]), compare);
	if (json) {
		print_json(all, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		bool new_net = i == 0 || !same_network(all[i - 1], all[i], key);
		bool new_client =
		    i == 0 || !ip_equal(&all[i - 1]->ip, &all[i]->ip);

		if (new_net && style->by_net != NULL)
			print_separator(style->by_net);
		else if (new_client && style->by_ip != NULL)
			print_separator(style->by_ip);
		if (style->grouped)
			print_grouped(all[i], new_client, style);
		else
			print_single(all[i], style);
	}
}
