/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <string.h>

#include "common/xmem.h"
#include "greylistd/netmap.h"

/* Prefixes 0..128. */
#define PREFIXES 129
/* Family, prefix, address. */
#define KEY_MAX (2 + 16)

struct netmap {
	struct namemap *nets;
	bool has_v4[PREFIXES];
	bool has_v6[PREFIXES];
};

struct netmap *
netmap_new(void)
{
	struct netmap *map = xmem_calloc(1, sizeof(*map));

	map->nets = namemap_new();
	return map;
}

void
netmap_free(struct netmap **map)
{
	if (*map == NULL)
		return;
	namemap_free(&(*map)->nets);
	xmem_free(map);
}

/* Returns the key's length. */
static size_t
make_key(const struct ip *base, unsigned prefix, char key[static KEY_MAX])
{
	size_t bytes = ip_bits(base->family) / 8;

	key[0] = (char)base->family;
	key[1] = (char)(unsigned char)prefix;
	memcpy(key + 2, base->bytes, bytes);
	return 2 + bytes;
}

void *
netmap_put(struct netmap *map, const struct ip_net *net, void *value)
{
	char key[KEY_MAX];
	size_t len = make_key(&net->base, net->prefix, key);

	if (net->base.family == IP_V4)
		map->has_v4[net->prefix] = true;
	else
		map->has_v6[net->prefix] = true;
	return namemap_put(map->nets, key, len, value);
}

void *
netmap_find(const struct netmap *map, const struct ip *ip,
    namemap_accept_fn *accept, const void *arg)
{
	const bool *has = ip->family == IP_V4 ? map->has_v4 : map->has_v6;
	struct ip base = *ip;
	char key[KEY_MAX];

	for (unsigned prefix = ip_bits(ip->family) + 1; prefix-- > 0;) {
		void *value;
		size_t len;

		if (!has[prefix])
			continue;
		/* Ever shorter ones, so masking what is masked is enough. */
		ip_mask(&base, prefix);
		len = make_key(&base, prefix, key);
		value = namemap_get(map->nets, key, len);
		if (value != NULL && (accept == NULL || accept(value, arg)))
			return value;
	}
	return NULL;
}

size_t
netmap_count(const struct netmap *map)
{
	return namemap_count(map->nets);
}
