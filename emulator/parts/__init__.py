"""Parts that the emulated devices share; a device module never imports another one."""
